package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/services/restaurant"
	"tiffin/wire"
)

// menu is a menu as the cache keeps it.
type menu struct {
	rev   int64
	items map[string]restaurant.MenuItem // by id
	data  []byte                         // encoded answer, by category and name
}

// stored is a menu's form in Redis.
type stored struct {
	Rev   int64                 `json:"rev"`
	Items []restaurant.MenuItem `json:"items"`
}

// newMenu indexes and encodes a sorted list.
func newMenu(rev int64, list []restaurant.MenuItem) (*menu, error) {
	m := &menu{rev: rev, items: make(map[string]restaurant.MenuItem, len(list))}
	for _, item := range list {
		m.items[item.ID] = item
	}
	var err error
	m.data, err = wire.Encode(restaurant.MenuResponse{Items: list})
	return m, err
}

// encodeMenu is called once a change, and decodeMenu once a change and process.
func encodeMenu(m *menu) ([]byte, error) {
	// The answer has the items already; only the revision is missing.
	return slices.Concat(strconv.AppendInt([]byte(`{"rev":`), m.rev, 10), []byte(`,`), m.data[1:]), nil
}

func decodeMenu(data []byte) (*menu, error) {
	var s stored
	if err := wire.Decode(data, &s); err != nil {
		return nil, err
	}
	return newMenu(s.Rev, s.Items)
}

// cachedMenu is the menu as of the last change that the cache knows of; see quote for why that is not enough there.
func (s *Server) cachedMenu(ctx context.Context, id bson.ObjectID) (*menu, error) {
	return s.menus.Get(ctx, id.Hex(), func(ctx context.Context) (*menu, error) { return s.readMenu(ctx, id) })
}

// readMenu reads a menu from the store. A restaurant without one has never had a dish; without the restaurant the
// answer is errNone.
func (s *Server) readMenu(ctx context.Context, id bson.ObjectID) (*menu, error) {
	document, err := s.store.findMenu(ctx, id)
	if errors.Is(err, errNone) {
		_, err = s.store.find(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	list := make([]restaurant.MenuItem, len(document.Items))
	for i, item := range document.Items {
		list[i] = item.item(id)
	}
	slices.SortFunc(list, func(a, b restaurant.MenuItem) int {
		if by := strings.Compare(fold(a.Category), fold(b.Category)); by != 0 {
			return by
		}
		if by := strings.Compare(fold(a.Name), fold(b.Name)); by != 0 {
			return by
		}
		return strings.Compare(a.ID, b.ID)
	})
	return newMenu(document.Rev, list)
}
