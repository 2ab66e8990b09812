package stats

import "time"

// Bucket is how long a stretch of time one cell counts.
type Bucket string

// The buckets, all of UTC. Month is kept for accounts only.
const (
	Minute Bucket = "minute"
	Hour   Bucket = "hour"
	Day    Bucket = "day"
	Month  Bucket = "month"
)

// Buckets returns the buckets that parts of a dimension are counted in.
func Buckets(d Dimension) []Bucket {
	if d == ByAccount {
		return []Bucket{Minute, Hour, Day, Month}
	}
	return []Bucket{Minute, Hour, Day}
}

// Valid reports whether a report can have this bucket.
func (b Bucket) Valid() bool { return b == Minute || b == Hour || b == Day }

// Size is the length of the bucket; a month has none and gives 0.
func (b Bucket) Size() time.Duration {
	switch b {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	case Day:
		return 24 * time.Hour
	default:
		return 0
	}
}

// Start returns the beginning of the bucket that holds t.
func (b Bucket) Start(t time.Time) time.Time {
	t = t.UTC()
	if b == Month {
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return t.Truncate(b.Size())
}
