package ordertx

// ChangeSQL is for the test of its plan.
const ChangeSQL = changeSQL
