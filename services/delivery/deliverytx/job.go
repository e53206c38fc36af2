package deliverytx

import (
	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/geo"
	"tiffin/services/order"
)

// Job is an order for which a rider is sought.
type Job struct {
	OrderID string
	Region  string
	Place   geo.Point // of the restaurant
}

// Enqueue queues that riders are sought for new orders, those of one transaction together.
func Enqueue(b *pgx.Batch, jobs ...Job) {
	ids, regions, places := make([]string, len(jobs)), make([]string, len(jobs)), make([]string, len(jobs))
	for i, j := range jobs {
		ids[i], regions[i], places[i] = j.OrderID, j.Region, Place(j.Place)
	}
	b.Queue(`insert into delivery.jobs (order_id, region, place)
		select * from unnest($1::text[]::uuid[], $2::text[], $3::text[]::public.cube[])`, ids, regions, places)
}

// Holder is the rider bound to an order, by an open offer or carrying it. The zero Holder is nobody.
type Holder struct {
	PartnerID string
	Status    delivery.AssignmentStatus
}

// Carries reports whether the holder is this rider and has accepted.
func (h Holder) Carries(partnerID string) bool {
	return h.Status.Carrying() && h.PartnerID == partnerID
}

// Carrier is the id of the rider who has accepted, nil when nobody has.
func (h Holder) Carrier() *string {
	if !h.Status.Carrying() {
		return nil
	}
	return &h.PartnerID
}

// QueueHolder queues the question who is bound to an order. Behind ordertx.QueueLock in the same batch, the answer
// holds until the end of the transaction.
func QueueHolder(b *pgx.Batch, orderID string, into *Holder) {
	*into = Holder{}
	b.Queue(`select partner_id::text, status from delivery.offers
		where order_id = $1 and status in ('offered', 'accepted', 'picked_up')`, orderID).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := rows.Scan(&into.PartnerID, &into.Status); err != nil {
					return err
				}
			}
			return rows.Err()
		})
}

// Progress queues what the new state of an order means for its rider. Picking up and ending an order change the
// assignment; an end frees the rider and takes the order out of the queue. The order row is locked and h was read
// under that lock.
func Progress(b *pgx.Batch, orderID string, h Holder, to order.Status) {
	switch {
	case to == order.PickedUp && h.Status.Carrying():
		setOffer(b, orderID, delivery.PickedUp)
	case to == order.PickedUp: // by an administrator, for an order that no rider of the fleet carries
		end(b, orderID, h, delivery.Withdrawn)
	case to == order.Delivered:
		end(b, orderID, h, delivery.Delivered)
	case to == order.Failed:
		end(b, orderID, h, delivery.Failed)
	case to.Terminal():
		end(b, orderID, h, delivery.Withdrawn)
	}
}

// setOffer changes what binds the order to its rider. There is at most one such row, so the order's id finds it.
func setOffer(b *pgx.Batch, orderID string, status delivery.AssignmentStatus) {
	b.Queue(`update delivery.offers set status = $2, ended_at = case when $2 = 'picked_up' then null else now() end
		where order_id = $1 and status in ('offered', 'accepted', 'picked_up')`, orderID, string(status))
}

// end keeps the order of locks: the job, then the rider.
func end(b *pgx.Batch, orderID string, h Holder, status delivery.AssignmentStatus) {
	b.Queue(`delete from delivery.jobs where order_id = $1`, orderID)
	if h.PartnerID == "" {
		return
	}
	setOffer(b, orderID, status)
	done := 0
	if status == delivery.Delivered {
		done = 1
	}
	b.Queue(`update delivery.partners
		set order_id = null, carrying = false, deliveries = deliveries + $3, updated_at = now()
		where id = $1 and order_id = $2`, h.PartnerID, orderID, done)
}
