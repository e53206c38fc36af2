// Makes the replica set, once; a second run finds it and changes nothing.
try {
  rs.status()
} catch {
  rs.initiate({ _id: 'tiffin', members: [1, 2, 3].map((n) => ({ _id: n, host: `mongodb-${n}:27017` })) })
}
