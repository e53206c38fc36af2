package edge_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/edge/ops"
	"tiffin/services/order"
	"tiffin/services/restaurant"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// received is a request as a service saw it.
type received struct {
	actor     micro.Actor
	requestID string
	key       string // Idempotency-Key
	trace     string
	request   any
}

// services stand in for the real ones behind the edge: they speak the real
// contract through the real kit, so that every request is decoded strictly and
// validated, note what they got, and answer what the test wants.
type services struct {
	mu     sync.Mutex
	last   map[string]received // by subject
	counts map[string]int
	errs   map[string]error         // what a subject fails with
	blocks map[string]chan struct{} // what a subject waits for
	health map[string]error
	stops  map[string]func()
	keys   map[string]auth.KeyGrant // by id
}

// endpoint adds a verb that notes the request and gives the answer.
func endpoint[Req, Res any](s *services, svc *micro.Service, service, verb string, answer Res) {
	subject := service + "." + verb
	micro.Handle(svc, verb, "Test endpoint.", func(ctx context.Context, req Req) (Res, error) {
		s.mu.Lock()
		s.last[subject] = received{actor: micro.ActorFrom(ctx), requestID: micro.RequestID(ctx),
			key: micro.Header(ctx, order.HeaderIdempotencyKey), trace: micro.Header(ctx, "traceparent"), request: req}
		s.counts[subject]++
		err, block := s.errs[subject], s.blocks[subject]
		s.mu.Unlock()
		if block != nil {
			<-block
		}
		return answer, err
	})
}

func (s *services) fail(subject string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs[subject] = err
}

func (s *services) block(subject string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.blocks[subject] = gate
	return sync.OnceFunc(func() {
		s.mu.Lock()
		delete(s.blocks, subject)
		s.mu.Unlock()
		close(gate)
	})
}

func (s *services) got(subject string) received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[subject]
}

func (s *services) count(subject string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[subject]
}

func (s *services) setHealth(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health[name] = err
}

var (
	sampleOrder = order.Order{ID: orderID, CustomerID: userID, RestaurantID: restaurantID, Status: order.Pending,
		Items: []order.Item{{MenuItemID: itemID, Name: "Dal", Quantity: 2, UnitPrice: 1250}}, TotalAmount: 2500,
		DeliveryAddress: "501 Castro St", City: "San Francisco", EstimatedDeliveryTime: 30,
		CreatedAt: wire.At(time.Unix(0, 0)), UpdatedAt: wire.At(time.Unix(0, 0))}
	sampleSession = auth.Session{User: auth.User{ID: userID}, Token: "t", RefreshToken: "r", ExpiresIn: 60}
)

// start brings all six services up, each on a connection of its own role.
func startServices(t testing.TB, server *testenv.NATSServer) *services {
	t.Helper()
	s := &services{last: map[string]received{}, counts: map[string]int{}, errs: map[string]error{},
		blocks: map[string]chan struct{}{}, health: map[string]error{}, keys: map[string]auth.KeyGrant{}, stops: map[string]func(){}}
	for name, add := range map[string]func(*micro.Service){
		"auth":       s.addAuth,
		"restaurant": s.addRestaurant,
		"order":      s.addOrder,
		"delivery":   s.addDelivery,
		"tracking":   s.addTracking,
		"bridge": func(svc *micro.Service) {
			endpoint[struct{}](s, svc, "bridge", "status", ops.Bridge{Connected: true, Relayed: 7})
		},
	} {
		s.run(t, server, name, add)
	}
	return s
}

// run starts one service; it stops with the test or by stops.
func (s *services) run(t testing.TB, server *testenv.NATSServer, name string, add func(*micro.Service)) {
	t.Helper()
	svc := micro.NewService(micro.ServiceConfig{Name: name, Version: "1.0.0", Conn: server.Conn(name),
		Health: func(context.Context) map[string]error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if name != "order" {
				return map[string]error{"postgres.a": nil}
			}
			return map[string]error{"postgres.a": s.health["postgres.a"], "mongodb": s.health["mongodb"]}
		}})
	add(svc)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	s.stops[name] = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stops[name])
	select {
	case <-svc.Ready():
	case err := <-done:
		require.NoError(t, err)
	}
}

func (s *services) addAuth(svc *micro.Service) {
	endpoint[auth.RegisterRequest](s, svc, "auth", auth.VerbRegister, sampleSession)
	endpoint[auth.LoginRequest](s, svc, "auth", auth.VerbLogin, sampleSession)
	endpoint[auth.RefreshRequest](s, svc, "auth", auth.VerbRefresh, sampleSession)
	endpoint[auth.LogoutRequest](s, svc, "auth", auth.VerbLogout, auth.LogoutResponse{})
	endpoint[auth.AuditRequest](s, svc, "auth", auth.VerbAudit, auth.AuditResponse{Entries: []auth.AuditEntry{}})
	endpoint[auth.KeyCreateRequest](s, svc, "auth", auth.VerbKeyCreate, auth.KeyCreateResponse{APIKey: auth.APIKey{Scopes: []string{}}})
	endpoint[auth.KeyListRequest](s, svc, "auth", auth.VerbKeyList, auth.KeyListResponse{APIKeys: []auth.APIKey{}})
	endpoint[auth.KeyRevokeRequest](s, svc, "auth", auth.VerbKeyRevoke, auth.KeyRevokeResponse{})
	micro.Handle(svc, auth.VerbKeyVerify, "Test endpoint.", s.verifyKey)
	endpoint[auth.MeRequest](s, svc, "auth", auth.VerbMe, auth.MeResponse{User: sampleSession.User})
}

func (s *services) addRestaurant(svc *micro.Service) {
	one, dish := restaurant.Restaurant{ID: restaurantID}, restaurant.MenuItem{ID: itemID, Price: 1250}
	endpoint[restaurant.ListRequest](s, svc, "restaurant", restaurant.VerbList, restaurant.ListResponse{Restaurants: []restaurant.Restaurant{one}})
	endpoint[restaurant.GetRequest](s, svc, "restaurant", restaurant.VerbGet, one)
	endpoint[restaurant.MenuRequest](s, svc, "restaurant", restaurant.VerbMenu, restaurant.MenuResponse{Items: []restaurant.MenuItem{dish}})
	endpoint[restaurant.CreateRequest](s, svc, "restaurant", restaurant.VerbCreate, one)
	endpoint[restaurant.UpdateRequest](s, svc, "restaurant", restaurant.VerbUpdate, one)
	endpoint[restaurant.MenuAddRequest](s, svc, "restaurant", restaurant.VerbMenuAdd, dish)
	endpoint[restaurant.MenuUpdateRequest](s, svc, "restaurant", restaurant.VerbMenuUpdate, dish)
	endpoint[restaurant.MenuDeleteRequest](s, svc, "restaurant", restaurant.VerbMenuDelete, restaurant.MenuDeleteResponse{})
}

func (s *services) addOrder(svc *micro.Service) {
	endpoint[order.CreateRequest](s, svc, "order", order.VerbCreate, order.Created{Order: sampleOrder})
	endpoint[order.GetRequest](s, svc, "order", order.VerbGet, sampleOrder)
	endpoint[order.ListRequest](s, svc, "order", order.VerbList, order.ListResponse{Orders: []order.Order{sampleOrder}})
	endpoint[order.StatusRequest](s, svc, "order", order.VerbStatus, sampleOrder)
	endpoint[order.HistoryRequest](s, svc, "order", order.VerbHistory, order.HistoryResponse{History: []order.HistoryEntry{}})
	endpoint[order.OverviewRequest](s, svc, "order", order.VerbOverview, order.Overview{Orders: map[order.Status]int64{order.Pending: 3}})
}

func (s *services) addDelivery(svc *micro.Service) {
	rider := delivery.Partner{ID: userID, UserID: userID}
	given := delivery.Assignment{OrderID: orderID, PartnerID: userID, Status: delivery.Accepted, Order: sampleOrder}
	endpoint[delivery.AssignmentsRequest](s, svc, "delivery", delivery.VerbAssignments, delivery.AssignmentsResponse{Assignments: []delivery.Assignment{given}})
	endpoint[delivery.MeRequest](s, svc, "delivery", delivery.VerbMe, rider)
	endpoint[delivery.AvailabilityRequest](s, svc, "delivery", delivery.VerbAvailability, rider)
	endpoint[delivery.OfferRequest](s, svc, "delivery", delivery.VerbAccept, given)
	endpoint[delivery.OfferRequest](s, svc, "delivery", delivery.VerbDecline, given)
	endpoint[delivery.OffersRequest](s, svc, "delivery", delivery.VerbOffers,
		delivery.OffersResponse{Offers: []delivery.Offer{{Seq: 2, PartnerID: userID, Status: delivery.Declined}}})
	endpoint[delivery.RidersRequest](s, svc, "delivery", delivery.VerbRiders,
		delivery.RidersResponse{Riders: []delivery.Rider{{ID: userID, State: delivery.RiderFree}}, Unavailable: []string{}})
	endpoint[delivery.OverviewRequest](s, svc, "delivery", delivery.VerbOverview, delivery.Overview{Riders: map[delivery.RiderState]int64{delivery.RiderFree: 2}})
}

func (s *services) addTracking(svc *micro.Service) {
	endpoint[tracking.LocationRequest](s, svc, "tracking", tracking.VerbLocation, tracking.LocationResponse{Accepted: true})
	endpoint[tracking.GetRequest](s, svc, "tracking", tracking.VerbGet, tracking.View{OrderID: orderID, Status: "pending"})
}
