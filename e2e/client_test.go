package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/e2e/product"
)

// object is a JSON object as an outsider sees it.
type object = product.Object

// person is a signed-in REST client whose failures end the test.
type person struct {
	*product.Person
	t *testing.T
}

// register makes a new account with a role in a city.
func register(t *testing.T, role, city string) *person {
	t.Helper()
	p, err := fleet.Register(t.Context(), role, city)
	require.NoError(t, err)
	return &person{Person: p, t: t}
}

// must performs a request and requires the status; it returns the body.
func (p *person) must(status int, method, path string, body any) object {
	p.t.Helper()
	answer, err := p.Want(p.t.Context(), status, method, path, body)
	require.NoError(p.t, err)
	return answer
}

func keys(o object) []string {
	out := make([]string, 0, len(o))
	for k := range o {
		out = append(out, k)
	}
	return out
}
