// Package compat holds tests alone: OpenAI's own clients, for Go and for Node,
// against the whole gateway as `easel serve` runs it. They show that a program
// written for OpenAI needs nothing but another base URL and key.
package compat
