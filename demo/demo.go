// Package demo fills a new fleet with something to look at: restaurants with
// menus in a city of each region, riders, and one account per role. It goes
// through the services' own endpoints as an operator would, so demo data obeys
// every rule that real data does. Seeding is idempotent: what is there stays,
// what a crash left out is added.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/restaurant"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// Password of every demo account.
const Password = "tiffin-demo"

// domain of the demo accounts' addresses; nobody can own a mailbox there.
const domain = "@demo.tiffin"

// Accounts by role, as the banner shows them.
var Accounts = []struct{ Role, Email string }{
	{auth.RoleCustomer, "customer" + domain},
	{auth.RoleOwner, "owner" + domain},
	{auth.RoleRider, "rider" + domain},
	{auth.RoleAdmin, "admin" + domain},
}

// ridersPerCity work in every demo city besides rider@demo.tiffin.
const ridersPerCity = 2

//go:embed cities.json
var citiesJSON []byte

// Config of a seeding. Client must be the connection of role ops: only an
// operator may act for others.
type Config struct {
	Client *micro.Client
	Log    *slog.Logger
}

// Seed brings the demo data up to date. It returns the first error of a
// service; a second call goes on where the first stopped.
func Seed(ctx context.Context, c Config) error {
	var cities []city
	if err := wire.Decode(citiesJSON, &cities); err != nil {
		return fmt.Errorf("demo/cities.json: %w", err)
	}
	s := &seeder{
		auth: auth.NewClient(c.Client), restaurants: restaurant.NewClient(c.Client),
		delivery: delivery.NewClient(c.Client), tracking: tracking.NewClient(c.Client),
	}
	owner, err := s.accounts(ctx, cities[0])
	if err != nil {
		return err
	}
	for _, place := range cities {
		if err := s.city(ctx, owner, place); err != nil {
			return fmt.Errorf("demo data of %s: %w", place.Name, err)
		}
	}
	c.Log.Info("demo data is complete", "cities", len(cities))
	return nil
}

// city is one entry of cities.json. Prices are texts, in the local currency's
// major unit, so that they are exact.
type city struct {
	Name        string  `json:"city"`
	Latitude    float64 `json:"latitude"`
	Longitude   float64 `json:"longitude"`
	Restaurants []struct {
		Name        string  `json:"name"`
		Cuisine     string  `json:"cuisine"`
		Address     string  `json:"address"`
		Latitude    float64 `json:"latitude"`
		Longitude   float64 `json:"longitude"`
		PhoneNumber string  `json:"phoneNumber"`
		Menu        []dish  `json:"menu"`
	} `json:"restaurants"`
}

type dish struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Price       string `json:"price"`
	Category    string `json:"category"`
}

// seeder holds clients of the services demo data lives in.
type seeder struct {
	auth        *auth.Client
	restaurants *restaurant.Client
	delivery    *delivery.Client
	tracking    *tracking.Client
}

// accounts makes one account per role, all at home in one city, and returns
// the owner's id.
func (s *seeder) accounts(ctx context.Context, home city) (owner string, err error) {
	for _, a := range Accounts {
		if a.Role == auth.RoleAdmin {
			err = s.admin(ctx, a.Email, home.Name)
		} else {
			var id string
			id, err = s.account(ctx, a.Email, "Demo", a.Role, home.Name)
			if a.Role == auth.RoleOwner {
				owner = id
			}
		}
		if err != nil {
			return "", fmt.Errorf("demo account %s: %w", a.Email, err)
		}
	}
	return owner, nil
}

// account registers, or signs in where the address is taken already, and
// returns the user's id.
func (s *seeder) account(ctx context.Context, email, name, role, home string) (id string, err error) {
	session, err := s.auth.Register(as(ctx, micro.RoleAnonymous, ""), auth.RegisterRequest{
		Email: email, Password: Password, FirstName: name, LastName: "Tiffin",
		PhoneNumber: "+14155550100", Role: role, City: home,
	})
	if errors.Is(err, micro.Conflict("")) {
		session, err = s.auth.Login(as(ctx, micro.RoleAnonymous, ""), auth.LoginRequest{Email: email, Password: Password})
	}
	return session.User.ID, err
}

// admin goes through the operator's own endpoint, since nobody can register
// as an administrator.
func (s *seeder) admin(ctx context.Context, email, home string) error {
	_, err := s.auth.AdminCreate(as(ctx, micro.RoleOperator, "demo"), auth.AdminCreateRequest{
		Email: email, Password: Password, FirstName: "Demo", LastName: "Tiffin", PhoneNumber: "+14155550100", City: home,
	})
	if errors.Is(err, micro.Conflict("")) {
		return nil
	}
	return err
}

// city adds a city's restaurants, menus and riders where they are missing.
func (s *seeder) city(ctx context.Context, owner string, place city) error {
	ctx = as(ctx, auth.RoleOwner, owner)
	there, err := s.restaurants.List(ctx, restaurant.ListRequest{City: place.Name, Limit: restaurant.MaxLimit})
	if err != nil {
		return err
	}
	ids := make(map[string]string, len(there.Restaurants))
	for _, r := range there.Restaurants {
		ids[r.Name] = r.ID
	}
	for _, r := range place.Restaurants {
		id := ids[r.Name]
		if id == "" {
			made, err := s.restaurants.Create(ctx, restaurant.CreateRequest{
				Name: r.Name, City: place.Name, Address: r.Address, Latitude: &r.Latitude, Longitude: &r.Longitude,
				PhoneNumber: r.PhoneNumber, Email: slug(r.Name) + domain, Cuisine: r.Cuisine,
			})
			if err != nil {
				return err
			}
			id = made.ID
		}
		if err := s.menu(ctx, id, r.Menu); err != nil {
			return err
		}
	}
	return s.riders(ctx, place)
}

// menu adds the dishes a menu lacks.
func (s *seeder) menu(ctx context.Context, id string, dishes []dish) error {
	menu, err := s.restaurants.Menu(ctx, id)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(menu.Items))
	for _, item := range menu.Items {
		there[item.Name] = true
	}
	for _, d := range dishes {
		if there[d.Name] {
			continue
		}
		price, err := wire.ParseMoney(d.Price)
		if err != nil {
			return fmt.Errorf("price of %s: %w", d.Name, err)
		}
		if _, err := s.restaurants.MenuAdd(ctx, id, restaurant.ItemFields{
			Name: d.Name, Description: d.Description, Price: &price, Category: d.Category,
		}); err != nil {
			return err
		}
	}
	return nil
}

// riders puts riders on the streets of a city, willing to work. They go
// silent unless somebody plays them, as `tiffin sim` does.
func (s *seeder) riders(ctx context.Context, place city) error {
	for i := range ridersPerCity {
		email := fmt.Sprintf("rider%d.%s%s", i+1, slug(place.Name), domain)
		id, err := s.account(ctx, email, "Rider", auth.RoleRider, place.Name)
		if err != nil {
			return err
		}
		rider := as(ctx, auth.RoleRider, id)
		lat, lon := place.Latitude+0.004*float64(i+1), place.Longitude-0.003*float64(i+1)
		if _, err := s.tracking.Location(rider, tracking.LocationRequest{DeliveryPartnerID: id, Latitude: &lat, Longitude: &lon}); err != nil {
			return err
		}
		if _, err := s.delivery.Availability(rider, id, true); err != nil {
			return err
		}
	}
	return nil
}

// as makes the context of a call on somebody's behalf.
func as(ctx context.Context, role, id string) context.Context {
	return micro.WithActor(ctx, micro.Actor{ID: id, Role: role})
}

// slug makes the part of an address before the @ from a name.
func slug(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ', r == '-':
			return '-'
		default:
			return -1
		}
	}, strings.ToLower(name)), "-")
}
