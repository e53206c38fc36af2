package server

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
)

// Every start prepares the store again, whatever is there already.
func TestIndexesAreMadeOnce(t *testing.T) {
	t.Parallel()
	url := testenv.Mongo(t)
	for range 3 {
		s, err := openStore(url, nil, slog.New(slog.DiscardHandler), nil)
		require.NoError(t, err)
		require.NoError(t, s.prepare(t.Context()))
		there, err := s.restaurants.Indexes().ListSpecifications(t.Context())
		require.NoError(t, err)
		names := make([]string, len(there))
		for i, index := range there {
			names[i] = index.Name
		}
		require.ElementsMatch(t, []string{"_id_", "cityKey_1", "nameKey_1__id_1", "ownerUserId_1", "latitude_1_longitude_1"}, names)
		require.NoError(t, s.close(t.Context()))
	}
}
