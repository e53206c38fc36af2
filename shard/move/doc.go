// Package move carries a region from one shard to another while it is in use.
//
// What moves are the rows of every table that has a column "region", in any
// schema but "shard" and "outbox". A service whose tables follow that rule, and
// which writes them in transactions of a database bound to the region
// (shard.Set.ByRegion, ByID), need not know that moves exist.
//
// The steps, each of which may be interrupted by anything and is done again by
// the next run:
//
//	announce    both shards note the move; from now on readers check after reading whether the region is still here
//	copy        triggers on the source log the keys of rows that change, then one snapshot is copied whole
//	follow      changed rows are copied again, in rounds, until a round is short
//	verify      with the target exactly at a snapshot of the source, counts and checksums of every table are compared
//	hand over   the source freezes the region, the last round is carried and compared, the outbox is empty, and the
//	            source lets go; all that within Config.Freeze, or the freeze ends by itself and is tried again
//	take charge the target owns the region
//	clear       the source's copy, triggers and log are deleted
//
// Invariants:
//
//   - At any instant at most one shard admits writers of a region. The source
//     stops before the target begins, and nobody is asked about clocks: the
//     freeze and its end are judged by the source's clock alone.
//   - The decision is one row on the source. Before it, the move can be called
//     off and the target's copy is rubbish; after it, the target has
//     everything, and whoever sees the row first puts it in charge.
//   - No row is applied by its history. A round reads what the changed rows
//     hold in one snapshot, deletes those keys on the target and writes them,
//     in one transaction. Doing a round twice is doing it once.
//   - Events of the region are all in JetStream before the target may append
//     its first, so that an order never has two relays. The rows of the outbox
//     stay where they are, until they are purged there.
//
// The user in both URLs must be allowed to set session_replication_role (a
// superuser, or one to whom it was granted): the copied rows must not fire the
// target's triggers and foreign keys, for the source's have been obeyed
// already.
package move
