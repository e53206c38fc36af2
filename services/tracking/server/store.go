package server

import (
	"context"
	_ "embed" // the Lua scripts
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// riderLua begins every script: how a rider is packed.
//
//go:embed rider.lua
var riderLua string

//go:embed location.lua
var locationLua string

//go:embed carry.lua
var carryLua string

//go:embed release.lua
var releaseLua string

const (
	// riderTTL bounds how long Redis remembers a rider from the last change of what they carry. Forgetting costs one
	// question to delivery.
	riderTTL = 6 * time.Hour
	// releasedTTL is longer than any hint or event about an order's acceptance can be late.
	releasedTTL = 24 * time.Hour
	// fixArgs is how many arguments location.lua takes for each fix.
	fixArgs = 2
	// nowhere is the latitude of a next stop that is not known.
	nowhere = 999
)

// outcome is what location.lua says about a fix. Values above limitedBase are limitedBase + milliseconds to wait.
type outcome int64

const (
	published    outcome = 1
	taken        outcome = 2 // accepted; the rider carries no order, so nobody but dispatch learns of it
	late         outcome = -1
	duplicate    outcome = -2
	implausible  outcome = -3
	notCarrying  outcome = -4 // the fix names an order the rider does not carry
	unknownRider outcome = -5 // Redis does not know (well enough) what the rider carries: ask delivery, try again
	limitedBase  outcome = 1000
)

// fix is a validated position on its way into Redis.
type fix struct {
	partner, order string // order may be empty
	at             time.Time
	point          tracking.Point
	heading, speed *float64
	// again publishes the rider's current fix once more, without judging it: customers see the rider from acceptance
	// on, not from the first fix after it.
	again bool
}

// work is what a rider is doing, as far as positions are concerned.
type work struct {
	order, phase string          // both empty for a rider without an order
	next         *tracking.Point // the next stop, nil when unknown
	leg          float64         // metres from there to the drop-off
}

// store is the only place that speaks Redis.
type store struct {
	redis    *redis.Client
	location *redis.Script
	carry    *redis.Script
	release  *redis.Script
	ttl      time.Duration
	rate     int // fixes per second and rider, 0 = off
}

func newStore(client *redis.Client, ttl time.Duration, rate int) *store {
	return &store{
		redis:    client,
		location: redis.NewScript(riderLua + locationLua),
		carry:    redis.NewScript(riderLua + carryLua),
		release:  redis.NewScript(riderLua + releaseLua),
		ttl:      ttl,
		rate:     rate,
	}
}

func riderKey(partner string) string { return "tracking:rider:" + partner }

func carrierKey(orderID string) string { return "tracking:carrier:" + orderID }

func releasedKey(orderID, partner string) string {
	return "tracking:released:" + orderID + ":" + partner
}

// record takes in the fixes in one round trip and gives the outcome of each.
func (s *store) record(ctx context.Context, now time.Time, fixes []*fix) ([]outcome, error) {
	keys := make([]string, len(fixes))
	args := make([]any, 0, 11+fixArgs*len(fixes))
	args = append(args, now.UnixMilli(), int64(s.ttl/time.Second), s.rate,
		tracking.MaxGroundSpeed, tracking.JumpSlack, tracking.MaxImplausible,
		tracking.DetourFactor, tracking.DefaultSpeed, tracking.MinSpeed, tracking.SpeedWeight, tracking.EarthRadius)
	for i, f := range fixes {
		keys[i] = riderKey(f.partner)
		args = f.appendArgs(args)
	}
	codes, err := s.location.Run(ctx, s.redis, keys, args...).Int64Slice()
	if err != nil {
		return nil, err
	}
	out := make([]outcome, len(codes))
	for i, c := range codes {
		out[i] = outcome(c)
	}
	return out, nil
}

// appendArgs adds the fix's arguments as location.lua wants them: its numbers, packed, and the JSON of the
// tracking.Location without its end. In the JSON the timestamp leads, with a fixed width: by that the script knows where
// to put the order's id when the rider named none, and readers of the live channel compare positions without parsing.
func (f *fix) appendArgs(args []any) []any {
	numbers := make([]byte, 0, 33+len(f.order))
	numbers = appendDouble(numbers, float64(f.at.UnixMilli()))
	numbers = appendDouble(numbers, f.point.Latitude)
	numbers = appendDouble(numbers, f.point.Longitude)
	if f.speed == nil {
		numbers = appendDouble(numbers, -1)
	} else {
		numbers = appendDouble(numbers, *f.speed)
	}
	again := byte(0)
	if f.again {
		again = 1
	}
	numbers = append(append(numbers, again), f.order...)

	json := make([]byte, 0, 224)
	json = append(json, `{"timestamp":"`...)
	json = append(json, wire.At(f.at).String()...)
	json = append(json, `","orderId":"`...)
	json = append(json, f.order...)
	json = append(json, `","deliveryPartnerId":"`...)
	json = append(json, f.partner...)
	json = strconv.AppendFloat(append(json, `","latitude":`...), f.point.Latitude, 'f', -1, 64)
	json = strconv.AppendFloat(append(json, `,"longitude":`...), f.point.Longitude, 'f', -1, 64)
	json = appendOptional(json, `,"heading":`, f.heading)
	json = appendOptional(json, `,"speed":`, f.speed)
	return append(args, numbers, json)
}

func appendDouble(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func appendOptional(b []byte, name string, v *float64) []byte {
	if v == nil {
		return b
	}
	return strconv.AppendFloat(append(b, name...), *v, 'f', -1, 64)
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// phases are the numbers of rider.lua.
var phases = map[string]int{"": 0, tracking.PhaseOffered: 1, tracking.PhaseAccepted: 2, tracking.PhasePickedUp: 3}

// setWork records what the rider carries. It gives the rider's current fix when there is one and the record changed.
func (s *store) setWork(ctx context.Context, partner string, w work) (*fix, error) {
	next := tracking.Point{Latitude: nowhere}
	if w.next != nil {
		next = *w.next
	}
	keys := []string{riderKey(partner), releasedKey(w.order, partner), carrierKey(w.order)}
	res, err := s.carry.Run(ctx, s.redis, keys, partner, w.order, phases[w.phase],
		decimal(next.Latitude), decimal(next.Longitude), decimal(w.leg), int64(riderTTL/time.Second)).Slice()
	if err != nil || len(res) < 4 {
		return nil, err
	}
	return &fix{
		partner: partner, order: w.order, at: time.UnixMilli(int64(number(res[1]))),
		point: tracking.Point{Latitude: number(res[2]), Longitude: number(res[3])}, again: true,
	}, nil
}

// number reads a number that carry.lua wrote; anything else counts as 0, and a fix of that time is too old to be used.
func number(v any) float64 {
	text, ok := v.(string)
	if !ok {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

// endWork makes sure that the rider is not seen for this order from now on.
func (s *store) endWork(ctx context.Context, orderID, partner string) error {
	keys := []string{riderKey(partner), releasedKey(orderID, partner), tracking.OrderKey(orderID)}
	return s.release.Run(ctx, s.redis, keys, orderID, int64(releasedTTL/time.Second)).Err()
}

// carrier gives the rider who is known to have carried the order last, "" when none is.
func (s *store) carrier(ctx context.Context, orderID string) (string, error) {
	partner, err := s.redis.Get(ctx, carrierKey(orderID)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return partner, err
}

// latest gives the order's last known position, nil when there is none.
func (s *store) latest(ctx context.Context, orderID string) (*tracking.Location, error) {
	data, err := s.redis.Get(ctx, tracking.OrderKey(orderID)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var loc tracking.Location
	if err := wire.Decode(data, &loc); err != nil {
		return nil, err
	}
	return &loc, nil
}

// watched reports whether any edge has somebody looking at the order.
func (s *store) watched(ctx context.Context, orderID string) (bool, error) {
	channel := tracking.LiveChannel(orderID)
	counts, err := s.redis.PubSubNumSub(ctx, channel).Result()
	return counts[channel] > 0, err
}

// announce publishes a change of an order to the edges.
func (s *store) announce(ctx context.Context, u order.Update) error {
	data, err := wire.Encode(u)
	if err != nil {
		return err
	}
	message := append(append([]byte(`{"event":"order-updated","data":`), data...), '}')
	return s.redis.Publish(ctx, tracking.LiveChannel(u.OrderID), message).Err()
}
