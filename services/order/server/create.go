package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/geo"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

// draft is an order that is being placed: what the request says, judged against what the restaurant service says.
type draft struct {
	record   ordertx.Record
	cityKey  string
	customer shard.Region // the customer's home region
	key      idempotencyKey
	row      ordertx.New // of record, when it is about to be written
	// letters go with the order: to the homes of its customer and of its restaurant's owner, where it is not known yet
	// that they have orders in this region.
	letters []travel
}

// idempotencyKey is a client's key with the fingerprint of the request it came with. Without a key, name is empty.
type idempotencyKey struct {
	name        string
	fingerprint [sha256.Size]byte
}

// create places an order. Everything that can be refused is refused before anything is written.
func (s *Server) create(ctx context.Context, req order.CreateRequest) (order.Created, error) {
	actor := micro.ActorFrom(ctx)
	if actor.Role != auth.RoleCustomer {
		return order.Created{}, micro.Forbidden("only customers place orders")
	}
	customerHome, err := s.cfg.Shards.Router().RegionOf(actor.ID)
	if err != nil {
		return order.Created{}, micro.E(micro.CodeUnauthenticated, "the customer's id is not of this fleet")
	}
	key, err := readKey(ctx, req)
	if err != nil {
		return order.Created{}, err
	}
	d := draft{customer: customerHome, key: key}
	d.route(s.cfg.Shards.Router(), actor.ID, req)
	if err := s.price(ctx, &d, req); err != nil {
		// An earlier answer is repeated whatever has become of the restaurant since.
		earlier, keyErr := s.store.byKey(ctx, &d)
		if keyErr != nil || earlier != nil {
			return s.replay(&d, earlier, keyErr)
		}
		return order.Created{}, err
	}
	return s.place(ctx, &d)
}

// answerMargin is what is left of a request's time when waiting for another request ends, so that its answer arrives.
const answerMargin = time.Second

// place writes the order, or finds that another request of the same key has done so.
func (s *Server) place(ctx context.Context, d *draft) (order.Created, error) {
	giveUp := time.Now().Add(order.KeyWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerMargin).Before(giveUp) {
		giveUp = deadline.Add(-answerMargin)
	}
	for {
		err := s.store.insert(ctx, d, s.cfg.AcceptTTL, time.Until(giveUp))
		switch {
		case err == nil:
			s.metrics.moved(order.Pending)
			s.bells.ring(d.record.Region)
			if err := s.store.announce(ctx, d); err != nil {
				s.log.WarnContext(ctx, "a home learns of an order elsewhere later", "order", d.record.Order.ID, "error", err)
			}
			return order.Created{Order: d.record.Order}, nil
		case !errors.Is(err, errKeyTaken):
			return order.Created{}, err
		}
		earlier, err := s.store.byKey(ctx, d)
		if err != nil || earlier != nil {
			return s.replay(d, earlier, err)
		}
		// The other request holds the key and has not committed yet, or it was rolled back just now, or the key is old.
		if time.Until(giveUp) < time.Millisecond {
			return order.Created{}, micro.Conflict("the first request with this Idempotency-Key is still running")
		}
		if err := s.store.freeKey(ctx, d); err != nil {
			return order.Created{}, err
		}
	}
}

// replay answers with the order found under the key. It may be this very request's, when its COMMIT was not answered.
func (s *Server) replay(d *draft, earlier *ordertx.Record, err error) (order.Created, error) {
	if err != nil {
		return order.Created{}, err
	}
	s.metrics.replayed.Inc()
	return order.Created{Order: asPlaced(earlier.Order), Replayed: earlier.Order.ID != d.record.Order.ID}, nil
}

// asPlaced gives the answer that placed the order, which its later life does not change: everything in it is immutable
// but these three.
func asPlaced(o order.Order) order.Order {
	o.Status, o.DeliveryPartnerID, o.UpdatedAt = order.Pending, nil, o.CreatedAt
	return o
}

// readKey takes the key from the request's header. A key is opaque, but it must be text to be stored and logged.
func readKey(ctx context.Context, req order.CreateRequest) (idempotencyKey, error) {
	name := micro.Header(ctx, order.HeaderIdempotencyKey)
	if name == "" {
		return idempotencyKey{}, nil
	}
	if utf8.RuneCountInString(name) > order.MaxKeyLength || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return idempotencyKey{}, wire.Malformed{Reason: "Idempotency-Key must be text of at most 255 characters"}
	}
	body, err := wire.Encode(req)
	if err != nil {
		return idempotencyKey{}, err
	}
	return idempotencyKey{name: name, fingerprint: sha256.Sum256(body)}, nil
}

// route decides where the order will live and gives it its id. The id's time is the order's: lists sort by id.
func (d *draft) route(router *shard.Router, customerID string, req order.CreateRequest) {
	route := router.RouteCity(req.City)
	city, key := cityOf(route, req.City)
	id := router.NewID(route.Region)
	d.cityKey = key
	d.record = ordertx.Record{Region: string(route.Region), Order: order.Order{
		ID:              id,
		CustomerID:      customerID,
		RestaurantID:    req.RestaurantID,
		DeliveryAddress: strings.TrimSpace(req.DeliveryAddress),
		City:            city,
		Latitude:        *req.Latitude,
		Longitude:       *req.Longitude,
	}}
	at := wire.At(timeOf(id))
	d.record.Order.CreatedAt, d.record.Order.UpdatedAt = at, at
}

// queue queues everything that orders of one region consist of.
func queue(b *pgx.Batch, drafts []*draft) error {
	queueKeys(b, drafts)
	orders, jobs := make([]ordertx.New, len(drafts)), make([]deliverytx.Job, len(drafts))
	for i, d := range drafts {
		for _, letter := range d.letters {
			queueLetter(b, letter)
		}
		orders[i], jobs[i] = d.row, deliverytx.Job{
			OrderID: d.record.Order.ID,
			Region:  d.record.Region,
			Place:   geo.Point{Latitude: d.record.Restaurant.Latitude, Longitude: d.record.Restaurant.Longitude},
		}
	}
	deliverytx.Enqueue(b, jobs...)
	return ordertx.Insert(b, orders...)
}

// timeOf reads the time of creation out of an id that was just made.
func timeOf(id string) time.Time {
	parsed, err := shard.ParseID(id)
	if err != nil {
		return time.Now()
	}
	var ms int64
	for _, b := range parsed[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}

// price asks what the dishes cost and judges whether the restaurant can take and bring the order.
func (s *Server) price(ctx context.Context, d *draft, req order.CreateRequest) error {
	lines := make([]restaurant.QuoteLine, len(req.Items))
	for i, line := range req.Items {
		lines[i] = restaurant.QuoteLine{MenuItemID: line.MenuItemID, Quantity: line.Quantity}
	}
	quote, err := s.menus.Quote(asService(ctx), restaurant.QuoteRequest{RestaurantID: req.RestaurantID, Items: lines})
	if errors.Is(err, micro.NotFound("")) {
		return wire.Invalid{{Field: "restaurantId", Message: "there is no such restaurant"}}
	}
	if err != nil {
		return err
	}
	distance, err := s.reach(d, quote.Restaurant)
	if err != nil {
		return err
	}
	return d.take(quote, distance)
}

// reach checks that the order stays in the restaurant's region and within delivery range, and returns the distance.
func (s *Server) reach(d *draft, from restaurant.Restaurant) (km float64, err error) {
	o := &d.record.Order
	if home := s.cfg.Shards.Router().RouteCity(from.City).Region; string(home) != d.record.Region {
		return 0, wire.Invalid{{Field: "city", Message: "the restaurant does not deliver to this city"}}
	}
	km = geo.DistanceKm(geo.Point{Latitude: from.Latitude, Longitude: from.Longitude},
		geo.Point{Latitude: o.Latitude, Longitude: o.Longitude})
	if km > s.cfg.DeliveryRadiusKM {
		const tooFar = "the drop-off is out of the restaurant's delivery range"
		return 0, wire.Invalid{{Field: "latitude", Message: tooFar}, {Field: "longitude", Message: tooFar}}
	}
	return km, nil
}

// take copies what the order keeps of the restaurant and its menu, so that reading it never needs them again.
func (d *draft) take(quote restaurant.Quote, km float64) (err error) {
	from, o := quote.Restaurant, &d.record.Order
	if !from.IsActive {
		return micro.Conflict("the restaurant takes no orders now")
	}
	o.Items = make([]order.Item, len(quote.Items))
	for i, item := range quote.Items {
		if !item.Available {
			return micro.Conflict("%s is not available now", item.Name)
		}
		o.Items[i] = order.Item{MenuItemID: item.MenuItemID, Name: item.Name, Quantity: item.Quantity, UnitPrice: item.UnitPrice}
	}
	if o.TotalAmount, err = order.Total(o.Items); err != nil {
		return err
	}
	o.EstimatedDeliveryTime = order.Estimate(km)
	d.record.OwnerID = from.OwnerUserID
	d.record.Restaurant = order.Place{
		ID: from.ID, Name: from.Name, Address: from.Address, Latitude: from.Latitude, Longitude: from.Longitude,
	}
	return nil
}

// asService makes a context for calls this service makes on its own behalf.
func asService(ctx context.Context) context.Context {
	return micro.WithActor(ctx, micro.Actor{ID: order.ServiceName, Role: micro.RoleService})
}
