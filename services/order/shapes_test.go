package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
	"tiffin/wire"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := wire.Encode(v)
	require.NoError(t, err)
	return string(data)
}

func moment() wire.Time { return wire.At(time.Date(2026, 11, 22, 14, 8, 39, 123456789, time.UTC)) }

func sample() order.Order {
	return order.Order{
		ID: "id", CustomerID: "customer", RestaurantID: "restaurant", Status: order.Pending,
		Items:       []order.Item{{MenuItemID: "dish", Name: "Thali", Quantity: 2, UnitPrice: 1250}},
		TotalAmount: 2500, DeliveryAddress: "1 Market Street", City: "San Francisco", Latitude: 37.5, Longitude: -122.5,
		EstimatedDeliveryTime: 30, CreatedAt: moment(), UpdatedAt: moment(),
	}
}

// What clients parse is fixed: names, null for no rider, money with two places, times in milliseconds.
func TestTheShapeOfAnOrder(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"id":"id","customerId":"customer","restaurantId":"restaurant","deliveryPartnerId":null,"status":"pending",
		"items":[{"menuItemId":"dish","name":"Thali","quantity":2,"unitPrice":12.50}],"totalAmount":25.00,
		"deliveryAddress":"1 Market Street","city":"San Francisco","latitude":37.5,"longitude":-122.5,"estimatedDeliveryTime":30,
		"createdAt":"2026-11-22T14:08:39.123Z","updatedAt":"2026-11-22T14:08:39.123Z"}`, encode(t, sample()))
	require.Contains(t, encode(t, sample()), `"totalAmount":25.00`)
	rider := "rider"
	o := sample()
	o.DeliveryPartnerID = &rider
	require.Contains(t, encode(t, o), `"deliveryPartnerId":"rider"`)
}

func TestTheAnswerToAnOrderIsTheOrder(t *testing.T) {
	t.Parallel()
	require.Equal(t, encode(t, sample()), encode(t, order.Created{Order: sample()}))
	var back order.Created
	require.NoError(t, wire.Decode([]byte(encode(t, order.Created{Order: sample(), Replayed: true})), &back))
	require.Equal(t, order.Created{Order: sample(), Replayed: true}, back)
}

func TestTheShapeOfHistory(t *testing.T) {
	t.Parallel()
	from := order.Pending
	require.JSONEq(t, `{"history":[
		{"from":null,"to":"pending","actorId":"a","actorRole":"customer","at":"2026-11-22T14:08:39.123Z"},
		{"from":"pending","to":"rejected","actorId":"b","actorRole":"restaurant_owner","reason":"closed","at":"2026-11-22T14:08:39.123Z"}]}`,
		encode(t, order.HistoryResponse{History: []order.HistoryEntry{
			{To: order.Pending, ActorID: "a", ActorRole: "customer", At: moment()},
			{From: &from, To: order.Rejected, ActorID: "b", ActorRole: "restaurant_owner", Reason: "closed", At: moment()},
		}}))
}

func TestTheShapesOfEvents(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"eventType":"order.created","orderId":"o","customerId":"c","restaurantId":"r","deliveryCity":"San Francisco",
		"totalAmount":45.99,"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.123Z"}`,
		encode(t, order.CreatedEvent{EventType: order.EventCreated, OrderID: "o", CustomerID: "c", RestaurantID: "r",
			DeliveryCity: "San Francisco", TotalAmount: 4599, EstimatedDeliveryTime: 30, Timestamp: moment()}))
	require.JSONEq(t, `{"eventType":"order.assigned","orderId":"o","customerId":"c","restaurantId":"r","deliveryPartnerId":"p",
		"deliveryCity":"San Francisco","estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.123Z"}`,
		encode(t, order.AssignedEvent{EventType: order.EventAssigned, OrderID: "o", CustomerID: "c", RestaurantID: "r",
			DeliveryPartnerID: "p", DeliveryCity: "San Francisco", EstimatedDeliveryTime: 30, Timestamp: moment()}))
	require.JSONEq(t, `{"eventType":"order.status","orderId":"o","customerId":"c","restaurantId":"r","deliveryPartnerId":null,
		"deliveryCity":"San Francisco","from":"pending","to":"confirmed","actorId":"a","actorRole":"restaurant_owner","seq":2,
		"timestamp":"2026-11-22T14:08:39.123Z"}`,
		encode(t, order.StatusEvent{EventType: order.EventStatus, OrderID: "o", CustomerID: "c", RestaurantID: "r",
			DeliveryCity: "San Francisco", From: order.Pending, To: order.Confirmed, ActorID: "a", ActorRole: "restaurant_owner",
			Seq: 2, Timestamp: moment()}))
}

func TestListsAreListsWhenTheyAreEmpty(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"orders":[]}`, encode(t, order.ListResponse{Orders: []order.Order{}}))
	require.JSONEq(t, `{"orders":[],"nextCursor":"x"}`, encode(t, order.ListResponse{Orders: []order.Order{}, NextCursor: "x"}))
	require.JSONEq(t, `{"history":[]}`, encode(t, order.HistoryResponse{}))
}
