package delivery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/wire"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := wire.Encode(v)
	require.NoError(t, err)
	return string(data)
}

func moment() wire.Time { return wire.At(time.Date(2026, 11, 22, 14, 8, 39, 0, time.UTC)) }

func TestTheShapeOfARider(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"id":"p","userId":"p","city":"Boston","latitude":42.5,"longitude":-71.5,"isAvailable":true,
		"currentOrderId":null,"totalDeliveries":3,"rating":5,"createdAt":"2026-11-22T14:08:39.000Z","updatedAt":"2026-11-22T14:08:39.000Z"}`,
		encode(t, delivery.Partner{ID: "p", UserID: "p", City: "Boston", Latitude: 42.5, Longitude: -71.5, IsAvailable: true,
			TotalDeliveries: 3, Rating: 5, CreatedAt: moment(), UpdatedAt: moment()}))
}

func TestTheShapeOfAnAssignment(t *testing.T) {
	t.Parallel()
	a := delivery.Assignment{
		OrderID: "o", PartnerID: "p", Status: delivery.Offered, OfferedAt: moment(), OfferExpiresAt: moment(),
		Order:      order.Order{ID: "o", Items: []order.Item{}, CreatedAt: moment(), UpdatedAt: moment()},
		Restaurant: order.Place{ID: "r", Name: "Golden Gate Curry", Address: "333 Post Street", Latitude: 1, Longitude: 2},
		Dropoff:    delivery.Dropoff{Address: "1 Market Street", Latitude: 3, Longitude: 4},
	}
	text := encode(t, a)
	require.Contains(t, text, `"restaurant":{"id":"r","name":"Golden Gate Curry","address":"333 Post Street","latitude":1,"longitude":2}`)
	require.Contains(t, text, `"dropoff":{"address":"1 Market Street","latitude":3,"longitude":4}`)
	require.Contains(t, text, `"status":"offered"`)
	require.NotContains(t, text, "acceptedAt", "only what was accepted says when")
	at := moment()
	a.AcceptedAt = &at
	require.Contains(t, encode(t, a), `"acceptedAt":"2026-11-22T14:08:39.000Z"`)
}

func TestTheShapeOfAnAcceptance(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"eventType":"delivery.accepted","orderId":"o","deliveryPartnerId":"p","customerId":"c","timestamp":"2026-11-22T14:08:39.000Z"}`,
		encode(t, delivery.AcceptedEvent{EventType: delivery.EventAccepted, OrderID: "o", DeliveryPartnerID: "p", CustomerID: "c", Timestamp: moment()}))
}

func TestAnswersWithoutAnything(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"assignments":[]}`, encode(t, delivery.AssignmentsResponse{Assignments: []delivery.Assignment{}}))
	require.JSONEq(t, `{"assignment":null}`, encode(t, delivery.CurrentResponse{}))
}
