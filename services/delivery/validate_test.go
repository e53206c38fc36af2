package delivery_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
	"tiffin/wire"
)

func TestAvailabilityMustBeSaid(t *testing.T) {
	t.Parallel()
	no := false
	require.NoError(t, delivery.AvailabilityRequest{IsAvailable: &no}.Validate())
	require.Equal(t, wire.Invalid{{Field: "isAvailable", Message: "is required"}}, delivery.AvailabilityRequest{}.Validate())
}

func TestLimitsOfAssignments(t *testing.T) {
	t.Parallel()
	require.NoError(t, delivery.AssignmentsRequest{Limit: 100}.Validate())
	require.Error(t, delivery.AssignmentsRequest{Limit: 101}.Validate())
	require.Error(t, delivery.AssignmentsRequest{Limit: -1}.Validate())
}

func TestPositionsAreOnEarth(t *testing.T) {
	t.Parallel()
	require.NoError(t, delivery.PositionRequest{Positions: []delivery.Position{{Latitude: -90, Longitude: 180}}}.Validate())
	for _, p := range []delivery.Position{{Latitude: 91}, {Longitude: -181}, {Latitude: math.NaN()}, {Longitude: math.Inf(1)}} {
		require.Error(t, delivery.PositionRequest{Positions: []delivery.Position{p}}.Validate())
	}
	require.Error(t, delivery.PositionRequest{Positions: make([]delivery.Position, delivery.MaxPositions+1)}.Validate())
}

func TestLiveAssignmentsBind(t *testing.T) {
	t.Parallel()
	for _, s := range []delivery.AssignmentStatus{delivery.Offered, delivery.Accepted, delivery.PickedUp} {
		require.True(t, s.Live())
		require.Equal(t, s != delivery.Offered, s.Carrying())
	}
	for _, s := range []delivery.AssignmentStatus{delivery.Delivered, delivery.Failed, delivery.Declined, delivery.Expired, delivery.Withdrawn} {
		require.False(t, s.Live())
		require.False(t, s.Carrying())
	}
}
