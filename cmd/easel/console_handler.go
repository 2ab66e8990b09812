package main

import "net/http"

// consoleHandler serves the operator's console.
func consoleHandler() http.Handler { return nil }
