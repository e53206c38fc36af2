// Package sim plays a city's evening: customers order, kitchens cook, riders carry the food along streets, so that there
// is something to watch and something to measure.
//
// It is an outsider. It knows a fleet by one URL and uses nothing but the public REST routes and the WebSocket at /ws,
// with accounts of its own: what works here works for any client. It keeps to the rate limits it meets.
//
// The cast is the same each time (addresses like sim-rider-1-toronto@sim.example), so a second run signs in what the
// first one registered, finds its restaurants and goes on with the orders that were left.
//
// From the outside in:
//
//	sim.go                            the run: cast, orders by the clock, the end
//	town.go, kitchen.go, customer.go,
//	rider.go                          who plays, each in goroutines of their own
//	street.go                         how a rider moves
//	account.go, api.go, socket.go     how they talk to the fleet
//	board.go                          what is printed
package sim
