package env

import "os"

// Lookup returns any variable of the environment, for programs that read names
// which are not Easel's own; ok is false where it is not set.
func Lookup(name string) (value string, ok bool) { return os.LookupEnv(name) }
