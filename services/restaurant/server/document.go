package server

import (
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

// document is a restaurant as it is stored, in the collection restaurants.
type document struct {
	ID          bson.ObjectID `bson:"_id"`
	Name        string        `bson:"name"`
	City        string        `bson:"city"`
	Address     string        `bson:"address"`
	Latitude    float64       `bson:"latitude"`
	Longitude   float64       `bson:"longitude"`
	PhoneNumber string        `bson:"phoneNumber"`
	Email       string        `bson:"email"`
	OwnerUserID string        `bson:"ownerUserId"`
	Cuisine     string        `bson:"cuisine"`
	Rating      float64       `bson:"rating"`
	IsActive    bool          `bson:"isActive"`
	CreatedAt   time.Time     `bson:"createdAt"`
	UpdatedAt   time.Time     `bson:"updatedAt"`

	// What follows is derived, for queries.
	Region     string `bson:"region"`
	CityKey    string `bson:"cityKey"`
	NameKey    string `bson:"nameKey"`
	CuisineKey string `bson:"cuisineKey"`
	Search     string `bson:"search"`

	// Rev counts the changes of this document; every change names the one it was made from.
	Rev int64 `bson:"rev"`
	// MenuRev is the revision of the menu that the last acknowledged change of it made. A menu of a lower one is stale.
	MenuRev int64 `bson:"menuRev"`
}

// derive fills in what queries go by.
func (d *document) derive(router *shard.Router) {
	route := router.RouteCity(d.City)
	d.Region = string(route.Region)
	d.CityKey = cityKey(route, d.City)
	d.NameKey = fold(d.Name)
	d.CuisineKey = fold(d.Cuisine)
	d.Search = searchText(d.Name, d.Cuisine, d.Address)
}

// cityKey is equal for all spellings of a city: the city's number where it is known, else its folded name.
func cityKey(route shard.Route, name string) string {
	if route.City != nil {
		return strconv.Itoa(route.City.ID)
	}
	return "unknown " + strings.ReplaceAll(fold(name), " ", "")
}

// restaurant is the document as clients see it, without what is derived and the revisions.
func (d *document) restaurant() restaurant.Restaurant {
	return restaurant.Restaurant{
		ID: d.ID.Hex(), Name: d.Name, City: d.City, Address: d.Address, Latitude: d.Latitude, Longitude: d.Longitude,
		PhoneNumber: d.PhoneNumber, Email: d.Email, OwnerUserID: d.OwnerUserID, Cuisine: d.Cuisine, Rating: d.Rating,
		IsActive: d.IsActive, CreatedAt: wire.At(d.CreatedAt), UpdatedAt: wire.At(d.UpdatedAt),
	}
}

// apply changes what the request does not leave alone.
func (d *document) apply(c restaurant.Changes, now time.Time) {
	set(&d.Name, c.Name)
	set(&d.City, c.City)
	set(&d.Address, c.Address)
	set(&d.PhoneNumber, c.PhoneNumber)
	set(&d.Email, c.Email)
	set(&d.Cuisine, c.Cuisine)
	if c.Latitude != nil {
		d.Latitude = *c.Latitude
	}
	if c.Longitude != nil {
		d.Longitude = *c.Longitude
	}
	if c.IsActive != nil {
		d.IsActive = *c.IsActive
	}
	d.UpdatedAt = now
}

// set takes a text that was given, without the spaces around it: they are typing, not meaning.
func set(field, value *string) {
	if value != nil {
		*field = strings.TrimSpace(*value)
	}
}

// menuDocument is a whole menu, in the collection menus, under the id of its restaurant. One document and not one per
// dish: it is read as a whole, changed atomically, and found by _id, which is fast on every store.
type menuDocument struct {
	ID    bson.ObjectID  `bson:"_id"`
	Rev   int64          `bson:"rev"`
	Items []itemDocument `bson:"items"`
}

// itemDocument is a dish. The price is an integer of cents: a BSON double would round, and FerretDB has no decimals.
type itemDocument struct {
	ID          bson.ObjectID `bson:"id"`
	Name        string        `bson:"name"`
	Description string        `bson:"description"`
	PriceCents  int64         `bson:"priceCents"`
	Category    string        `bson:"category"`
	IsAvailable bool          `bson:"isAvailable"`
	CreatedAt   time.Time     `bson:"createdAt"`
	UpdatedAt   time.Time     `bson:"updatedAt"`
}

// item is the dish as clients see it. The restaurant's id is the document's and need not be stored with each dish.
func (i *itemDocument) item(restaurantID bson.ObjectID) restaurant.MenuItem {
	return restaurant.MenuItem{
		ID: i.ID.Hex(), RestaurantID: restaurantID.Hex(), Name: i.Name, Description: i.Description,
		Price: wire.Money(i.PriceCents), Category: i.Category, IsAvailable: i.IsAvailable,
		CreatedAt: wire.At(i.CreatedAt), UpdatedAt: wire.At(i.UpdatedAt),
	}
}

// apply changes what the request does not leave alone.
func (i *itemDocument) apply(c restaurant.ItemChanges, now time.Time) {
	set(&i.Name, c.Name)
	set(&i.Description, c.Description)
	set(&i.Category, c.Category)
	if c.Price != nil {
		i.PriceCents = int64(*c.Price)
	}
	if c.IsAvailable != nil {
		i.IsAvailable = *c.IsAvailable
	}
	i.UpdatedAt = now
}
