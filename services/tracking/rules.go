package tracking

import (
	"time"

	"tiffin/services/geo"
)

// The rules for which fixes count. They are lenient where devices are honestly bad and strict where a fix would send
// the pin across the city: a refused fix costs one update, a wrong one costs the customer's trust.
const (
	// MaxAge is how old a fix may be on arrival. Phones send what they collected in a tunnel when they leave it.
	MaxAge = 5 * time.Minute
	// MaxSkew is how far a device's clock may run ahead. A fix from the future would block all honest ones after it.
	MaxSkew = 30 * time.Second
	// MaxAccuracy in metres: worse fixes come from cell towers and jump between them.
	MaxAccuracy = 500.0
	// MaxGroundSpeed in metres per second between two fixes; above it the movement is implausible.
	MaxGroundSpeed = 70.0
	// JumpSlack in metres is forgiven on top, since two fixes a moment apart can each be wrong by a city block.
	JumpSlack = 500.0
	// MaxImplausible is how many implausible fixes in a row are refused before the next is believed: then it was the
	// fix they are compared with that was wrong.
	MaxImplausible = 5
)

// The parameters of the ETA.
const (
	// DetourFactor turns a straight line into streets.
	DetourFactor = 1.35
	// DefaultSpeed in metres per second is assumed until a rider has moved: a bicycle in traffic.
	DefaultSpeed = 5.0
	// MinSpeed in metres per second bounds the ETA of a rider who stands at a light.
	MinSpeed = 2.0
	// SpeedWeight is the share of the newest fix in the running average of speed.
	SpeedWeight = 0.3
)

// EarthRadius in metres, of the sphere on which all distances are measured.
const EarthRadius = 1000 * geo.EarthRadiusKm

// Distance is the great-circle distance in metres.
func Distance(a, b Point) float64 { return 1000 * geo.DistanceKm(geo.Point(a), geo.Point(b)) }

// ReasonAtArrival judges a fix by itself, before it is compared with the rider's current one: "" when nothing speaks
// against it, else one of the Reason constants.
func ReasonAtArrival(taken, now time.Time, accuracy *float64) string {
	switch {
	case taken.After(now.Add(MaxSkew)):
		return ReasonFuture
	case taken.Before(now.Add(-MaxAge)):
		return ReasonLate
	case accuracy != nil && *accuracy > MaxAccuracy:
		return ReasonInaccurate
	default:
		return ""
	}
}
