package dynamo_test

import (
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/dynamo"
	"easel/shared/retire"
)

func TestOneOfManyInstancesChecksTheModels(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	now := epoch().Truncate(time.Millisecond)
	until := now.Add(time.Hour)
	var claimed atomic.Int32
	instances(8, func(int) {
		ok, next, err := s.ClaimCheck(t.Context(), now, until)
		if err != nil || !ok && !next.Equal(until) {
			t.Errorf("claim = %v until %s, %v", ok, next, err)
		}
		if ok {
			claimed.Add(1)
		}
	})
	if n := claimed.Load(); n != 1 {
		t.Fatalf("%d instances check, want one", n)
	}
	if r, err := s.LastCheck(t.Context()); err != nil || !r.CheckedAt.IsZero() {
		t.Errorf("before the first report: %+v, %v", r, err)
	}
	report := retire.Report{CheckedAt: now, Configs: 2, Findings: []retire.Finding{{Problem: retire.Missing, Model: "painter", Since: now}}}
	if err := s.SaveCheck(t.Context(), report, now.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if r, err := s.LastCheck(t.Context()); err != nil || r.Configs != 2 || len(r.Findings) != 1 || r.Findings[0].Model != "painter" {
		t.Errorf("report = %+v, %v", r, err)
	}
	if ok, _, err := s.ClaimCheck(t.Context(), now.Add(23*time.Hour), until); err != nil || ok {
		t.Errorf("claimed again within a day: %v, %v", ok, err)
	}
	if ok, _, err := s.ClaimCheck(t.Context(), now.Add(24*time.Hour), until); err != nil || !ok {
		t.Errorf("not claimed after a day: %v, %v", ok, err)
	}
	if r, err := s.LastCheck(t.Context()); err != nil || r.Configs != 2 {
		t.Errorf("the claim lost the report: %+v, %v", r, err)
	}
}
