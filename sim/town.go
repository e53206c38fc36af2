package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"tiffin/services/auth"
	"tiffin/services/geo"
	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

const (
	kitchensPerTown  = 2
	ridersPerTown    = 4
	customersPerTown = 2
	downtown         = 1200.0 // m around the centre in which kitchens are
)

// town is one city with everybody who plays in it.
type town struct {
	name      string
	center    geo.Point
	grid      grid
	places    []*place
	kitchen   *kitchen
	customers []*customer
	riders    []*rider
}

// place is a restaurant and what it serves.
type place struct {
	restaurant.Restaurant
	menu []restaurant.MenuItem
}

// at is where riders go.
func (p *place) at() geo.Point { return geo.Point{Latitude: p.Latitude, Longitude: p.Longitude} }

// dish is a line of a menu to be.
type dish struct {
	name, category string
	cents          wire.Money
}

// houses are the restaurants that every town gets.
var houses = [kitchensPerTown]struct {
	name, cuisine string
	dishes        []dish
}{
	{"Taquería Esperanza", "Mexican", []dish{
		{"Taco al pastor", "Tacos", 459}, {"Taco de carnitas", "Tacos", 479}, {"Quesadilla", "Antojitos", 899},
		{"Guacamole", "Antojitos", 750}, {"Horchata", "Drinks", 350},
	}},
	{"Golden Wok", "Chinese", []dish{
		{"Mapo tofu", "Mains", 1395}, {"Kung pao chicken", "Mains", 1495}, {"Potstickers", "Starters", 825},
		{"Hot and sour soup", "Starters", 695}, {"Jasmine tea", "Drinks", 295},
	}},
}

// slug is the part of an address that names a town.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// build signs in everybody of a town and sees that its restaurants are there.
func (s *simulation) build(ctx context.Context, city shard.City) (*town, error) {
	rng := s.rng()
	t := &town{
		name: city.Name, center: geo.Point{Latitude: city.Latitude, Longitude: city.Longitude},
		grid: grid{angle: (rng.Float64() - 0.5) * 0.9},
	}
	owner, err := s.enroll(ctx, city, auth.RoleOwner, 1)
	if err != nil {
		return nil, err
	}
	if t.places, err = s.open(ctx, owner, city, t.center, rng); err != nil {
		return nil, fmt.Errorf("restaurants of %s: %w", city.Name, err)
	}
	t.kitchen = newKitchen(s, t, owner)
	var group errgroup.Group
	group.Go(func() error {
		for n := range s.cfg.Customers {
			acc, err := s.enroll(ctx, city, auth.RoleCustomer, n+1)
			if err != nil {
				return err
			}
			t.customers = append(t.customers, newCustomer(s, t, acc))
		}
		return nil
	})
	group.Go(func() error {
		for n := range s.cfg.Riders {
			acc, err := s.enroll(ctx, city, auth.RoleRider, n+1)
			if err != nil {
				return err
			}
			t.riders = append(t.riders, newRider(s, t, acc, fmt.Sprintf("rider %d", n+1)))
		}
		return nil
	})
	return t, group.Wait()
}

// roleNames are how roles are called in addresses.
var roleNames = map[string]string{auth.RoleOwner: "owner", auth.RoleCustomer: "customer", auth.RoleRider: "rider"}

// enroll signs in the nth of a role in a town. Nobody gets mail at sim.example: the domain belongs to no one.
func (s *simulation) enroll(ctx context.Context, city shard.City, role string, n int) (*account, error) {
	return enroll(ctx, s.api, s.cfg.Password, auth.RegisterRequest{
		Email:     fmt.Sprintf("sim-%s-%d-%s@sim.example", roleNames[role], n, slug(city.Name+" "+city.State)),
		FirstName: "Sim", LastName: fmt.Sprintf("%s %d", roleNames[role], n),
		PhoneNumber: "+12025550100", Role: role, City: cityName(city),
	})
}

// cityName is a city with its state, so that the fleet cannot take it for another one.
func cityName(c shard.City) string { return c.Name + ", " + c.State }

// open finds the owner's restaurants in the city, and opens those that are missing.
func (s *simulation) open(ctx context.Context, owner *account, city shard.City, center geo.Point, rng *rand.Rand) ([]*place, error) {
	places := make([]*place, 0, len(houses))
	for _, house := range houses {
		p, err := s.findPlace(ctx, owner, city, house.name)
		if err != nil {
			return nil, err
		}
		if p == nil {
			at := around(rng, center, 0, downtown*s.cfg.Width)
			p = &place{}
			// Made twice, should the answer be lost, it would be there twice: no harm.
			err := owner.post(ctx, "/restaurants", restaurant.CreateRequest{
				Name: house.name, City: cityName(city), Address: fmt.Sprintf("%d Main Street", 1+rng.IntN(999)),
				Latitude: &at.Latitude, Longitude: &at.Longitude, PhoneNumber: "+12025550100",
				Email: "kitchen@sim.example", Cuisine: house.cuisine,
			}, &p.Restaurant)
			if err != nil {
				return nil, err
			}
		}
		if err := s.fillMenu(ctx, owner, p, house.dishes); err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, nil
}

// findPlace returns the owner's restaurant of that name, nil when there is none yet.
func (s *simulation) findPlace(ctx context.Context, owner *account, city shard.City, name string) (*place, error) {
	query := url.Values{"city": {cityName(city)}, "q": {name}, "limit": {"100"}}
	for {
		var page restaurant.ListResponse
		if err := owner.get(ctx, "/restaurants?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, r := range page.Restaurants {
			if r.OwnerUserID == owner.id() && r.Name == name && r.IsActive {
				return &place{Restaurant: r}, nil
			}
		}
		if page.NextCursor == "" {
			return nil, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// fillMenu reads the menu and adds the dishes that are missing.
func (s *simulation) fillMenu(ctx context.Context, owner *account, p *place, dishes []dish) error {
	path := "/restaurants/" + p.ID + "/menu"
	var menu restaurant.MenuResponse
	if err := owner.get(ctx, path, &menu); err != nil {
		return err
	}
	there := make(map[string]bool, len(menu.Items))
	for _, item := range menu.Items {
		there[item.Name] = true
	}
	for _, d := range dishes {
		if there[d.name] {
			continue
		}
		var item restaurant.MenuItem
		err := owner.do(ctx, call{
			method: http.MethodPost, path: path, body: restaurant.ItemFields{Name: d.name, Category: d.category, Price: &d.cents},
		}, &item)
		if err != nil {
			return err
		}
		menu.Items = append(menu.Items, item)
	}
	p.menu = menu.Items
	return nil
}
