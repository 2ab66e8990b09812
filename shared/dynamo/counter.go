package dynamo

import (
	"context"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Counter counts the round trips that a store makes to DynamoDB, the SDK's own
// retries included, and the capacity that DynamoDB says they consumed. It is
// safe for concurrent use; the zero value is ready.
type Counter struct {
	mu    sync.Mutex
	calls map[string]int
	units float64
}

// Install makes the client count its requests. A store does it itself when its
// options name the counter; use it for a client that is used directly.
func (c *Counter) Install(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, c.install)
}

func (c *Counter) install(stack *middleware.Stack) error {
	capacity := middleware.InitializeMiddlewareFunc("EaselCapacity", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		askCapacity(in.Parameters)
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err == nil {
			c.addUnits(consumed(out.Result))
		}
		return out, metadata, err
	})
	if err := stack.Initialize.Add(capacity, middleware.After); err != nil {
		return err
	}
	trips := middleware.FinalizeMiddlewareFunc("EaselRoundTrips", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		c.addCall(middleware.GetOperationName(ctx))
		return next.HandleFinalize(ctx, in)
	})
	return stack.Finalize.Insert(trips, "Retry", middleware.After)
}

func (c *Counter) addCall(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[operation]++
}

func (c *Counter) addUnits(units float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.units += units
}

// Calls returns how many round trips were made per operation, such as
// {"GetItem": 1}.
func (c *Counter) Calls() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}

// Total returns how many round trips were made.
func (c *Counter) Total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for _, n := range c.calls {
		total += n
	}
	return total
}

// Units returns the sum of read and write units that the answers named.
func (c *Counter) Units() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.units
}

// Reset forgets what was counted.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.units = nil, 0
}

func askCapacity(parameters any) {
	const total = types.ReturnConsumedCapacityTotal
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.BatchGetItemInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.QueryInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.PutItemInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.UpdateItemInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.DeleteItemInput:
		in.ReturnConsumedCapacity = total
	case *dynamodb.TransactWriteItemsInput:
		in.ReturnConsumedCapacity = total
	}
}

func consumed(result any) float64 {
	switch out := result.(type) {
	case *dynamodb.GetItemOutput:
		return unitsOf(out.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		return unitsOf(out.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		return unitsOf(out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		return unitsOf(out.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		return unitsOf(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		return sumUnits(out.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		return sumUnits(out.ConsumedCapacity)
	}
	return 0
}

func unitsOf(c *types.ConsumedCapacity) float64 {
	if c == nil || c.CapacityUnits == nil {
		return 0
	}
	return *c.CapacityUnits
}

func sumUnits(list []types.ConsumedCapacity) float64 {
	sum := 0.0
	for i := range list {
		sum += unitsOf(&list[i])
	}
	return sum
}
