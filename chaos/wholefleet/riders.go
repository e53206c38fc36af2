package wholefleet

import (
	"fmt"
	"time"
)

// checkRiders compares who was told to have what.
//
// An accepted order keeps its rider, so two acceptances of one order by two
// riders are a fault whenever they happened. A rider may accept one order after
// the other: it is a fault when the second was accepted, from before the request
// to after its answer, while the first had been accepted and not ended.
func checkRiders(e Evidence) (twoRiders, twoOrders []string) {
	ended := map[string]time.Time{} // the zero time: not yet
	for _, c := range e.Log {
		if c.To.Terminal() && ended[c.Order].IsZero() {
			ended[c.Order] = c.At
		}
	}
	riderOf := map[string]string{}
	had := map[string][]Acceptance{}
	for _, a := range e.Clients.Acceptances {
		if other := riderOf[a.Order]; other != "" && other != a.Rider {
			twoRiders = append(twoRiders, fmt.Sprintf("%s: %s and %s were told to have it", a.Order, other, a.Rider))
		}
		riderOf[a.Order] = a.Rider
		for _, b := range had[a.Rider] {
			if overlap(a, b, ended) || overlap(b, a, ended) {
				twoOrders = append(twoOrders, fmt.Sprintf("%s had %s and %s", a.Rider, a.Order, b.Order))
			}
		}
		had[a.Rider] = append(had[a.Rider], a)
	}
	rows, orders := checkOffers(e.Offers, riderOf)
	return append(twoRiders, rows...), append(twoOrders, orders...)
}

// overlap tells whether the second order was accepted while the first was
// carried.
func overlap(first, second Acceptance, ended map[string]time.Time) bool {
	end := ended[first.Order]
	return first.Order != second.Order && second.Began.After(first.Answered) && (end.IsZero() || second.Answered.Before(end))
}

// checkOffers reads the shards' rows, and compares them with what riders were
// told.
func checkOffers(offers []Offer, told map[string]string) (twoRiders, twoOrders []string) {
	live, accepted, busy := map[string]string{}, map[string]string{}, map[string]string{}
	for _, o := range offers {
		if o.Live {
			if other := live[o.Order]; other != "" {
				twoRiders = append(twoRiders, fmt.Sprintf("%s is offered to %s and %s", o.Order, other, o.Partner))
			}
			if other := busy[o.Partner]; other != "" {
				twoOrders = append(twoOrders, fmt.Sprintf("%s has %s and %s", o.Partner, other, o.Order))
			}
			live[o.Order], busy[o.Partner] = o.Partner, o.Order
		}
		if o.Accepted {
			if other := accepted[o.Order]; other != "" && other != o.Partner {
				twoRiders = append(twoRiders, fmt.Sprintf("%s was accepted by %s and %s", o.Order, other, o.Partner))
			}
			accepted[o.Order] = o.Partner
		}
	}
	for order, rider := range told {
		if accepted[order] != rider {
			twoRiders = append(twoRiders, fmt.Sprintf("%s: %s was told to have it, and it is %q who has", order, rider, accepted[order]))
		}
	}
	return twoRiders, twoOrders
}
