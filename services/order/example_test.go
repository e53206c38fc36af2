package order_test

import (
	"fmt"

	"tiffin/services/auth"
	"tiffin/services/order"
)

func ExampleAllowed() {
	fmt.Println(order.Allowed(order.Confirmed, auth.RoleCustomer))
	fmt.Println(order.Allowed(order.Confirmed, auth.RoleOwner))
	fmt.Println(order.Allowed(order.Delivered, auth.RoleAdmin))
	// Output:
	// [cancelled]
	// [preparing cancelled]
	// []
}

func ExampleTransition() {
	_, err := order.Transition(order.Preparing, order.Cancelled, auth.RoleCustomer)
	fmt.Println(err)
	_, err = order.Transition(order.Preparing, order.Ready, auth.RoleCustomer)
	fmt.Println(err)
	changed, err := order.Transition(order.Ready, order.Ready, auth.RoleOwner)
	fmt.Println(changed, err)
	// Output:
	// conflict: an order that is preparing cannot become cancelled
	// forbidden: your role may not make an order ready
	// false <nil>
}

func ExampleTotal() {
	total, err := order.Total([]order.Item{{Quantity: 3, UnitPrice: 1533}})
	fmt.Println(total, err)
	// Output: 45.99 <nil>
}
