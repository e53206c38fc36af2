package order

import (
	"slices"

	"tiffin/micro"
	"tiffin/services/auth"
)

// Status is the state of an order.
type Status string

// The states of an order. The last five are terminal.
const (
	Pending   Status = "pending"
	Confirmed Status = "confirmed"
	Preparing Status = "preparing"
	Ready     Status = "ready"
	PickedUp  Status = "picked_up"

	Delivered Status = "delivered"
	Rejected  Status = "rejected"
	Expired   Status = "expired"
	Cancelled Status = "cancelled"
	Failed    Status = "failed"
)

// RoleSystem is the actor of what nobody asked for: an order that expires, an offer that ends.
const RoleSystem = "system"

// Statuses lists every state, in the order in which an order passes them.
func Statuses() []Status {
	return []Status{Pending, Confirmed, Preparing, Ready, PickedUp, Delivered, Rejected, Expired, Cancelled, Failed}
}

// Live lists the states that are not terminal.
func Live() []Status { return Statuses()[:5] }

// Terminal reports whether an order in this state never changes again.
func (s Status) Terminal() bool { return !slices.Contains(Live(), s) }

// Known reports whether s is one of the states.
func (s Status) Known() bool { return slices.Contains(Statuses(), s) }

// move is one arrow of the state chart: where it may start, and who may make it. Administrators may make them all.
type move struct {
	to   Status
	from []Status
	role string
}

// moves is the whole state chart, drawn in docs/state-machine.md. A role may stand in several rows of the same state.
var moves = []move{
	{Confirmed, []Status{Pending}, auth.RoleOwner},
	{Rejected, []Status{Pending}, auth.RoleOwner},
	{Preparing, []Status{Confirmed}, auth.RoleOwner},
	{Ready, []Status{Preparing}, auth.RoleOwner},
	{PickedUp, []Status{Ready}, auth.RoleRider},
	{Delivered, []Status{PickedUp}, auth.RoleRider},
	{Failed, []Status{PickedUp}, auth.RoleRider},
	{Cancelled, []Status{Pending, Confirmed}, auth.RoleCustomer},
	{Cancelled, []Status{Pending, Confirmed, Preparing, Ready}, auth.RoleOwner},
	{Expired, []Status{Pending}, RoleSystem},
}

// covers reports whether role stands for the role of a move. Administrators and operators stand for every person, but
// not for the clock: nobody can make an order expire.
func covers(role, wanted string) bool {
	switch role {
	case auth.RoleAdmin, micro.RoleOperator:
		return wanted != RoleSystem
	default:
		return role == wanted
	}
}

// Settable reports whether somebody may ask for the state at all: pending is where orders begin and expired is the
// clock's alone.
func Settable(to Status) bool { return to.Known() && to != Pending && to != Expired }

// MayEver reports whether a role may make an order's state become to from at least one state.
func MayEver(role string, to Status) bool {
	return slices.ContainsFunc(moves, func(m move) bool { return m.to == to && covers(role, m.role) })
}

// Allowed lists the states a role may move an order to from the given one, in the order of Statuses. It is never nil.
func Allowed(from Status, role string) []Status {
	allowed := []Status{}
	for _, to := range Statuses() {
		if legal(from, to, role) {
			allowed = append(allowed, to)
		}
	}
	return allowed
}

// legal reads the chart for one role.
func legal(from, to Status, role string) bool {
	return slices.ContainsFunc(moves, func(m move) bool {
		return m.to == to && slices.Contains(m.from, from) && covers(role, m.role)
	})
}

// Transition judges whether an actor of the given role may move an order from one state to another: the role first
// (forbidden when it never may make that move), then the state (conflict, with Allowed). Asking for the state an order
// already has is no error and changes nothing: changed is false. Whose order it is, is judged elsewhere.
func Transition(from, to Status, role string) (changed bool, err error) {
	switch {
	case !MayEver(role, to):
		return false, micro.Forbidden("your role may not make an order %s", to)
	case from == to:
		return false, nil
	case legal(from, to, role):
		return true, nil
	}
	return false, Illegal(from, to, Allowed(from, role))
}

// Illegal is the conflict of a move that the state does not allow, naming the moves that are open to the caller.
func Illegal(from, to Status, allowed []Status) *micro.Error {
	conflict := micro.Conflict("an order that is %s cannot become %s", from, to)
	conflict.Allowed = make([]string, len(allowed))
	for i, s := range allowed {
		conflict.Allowed[i] = string(s)
	}
	return conflict
}
