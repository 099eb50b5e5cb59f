package access

import "time"

// A Plan is how many requests a key may make.
type Plan string

// The plans.
const (
	PlanStandard   Plan = "standard" // the default
	PlanFree       Plan = "free"
	PlanPro        Plan = "pro"
	PlanEnterprise Plan = "enterprise"
	PlanUnlimited  Plan = "unlimited"
)

// Unlimited is the limit of the one window of [PlanUnlimited]. It is there to be
// shown, and too large to be reached: it fits 32 bits, for the sake of clients.
const Unlimited = 1_000_000_000

// A Window says how many requests a key may make in a span of time.
type Window struct {
	Limit int
	Per   time.Duration
}

// Windows returns the windows of a plan, the shortest first. All of them hold at
// once. There is always one, and a plan of no known name has the standard ones.
func (p Plan) Windows() []Window {
	switch p {
	case PlanFree:
		return []Window{{100, time.Hour}}
	case PlanPro:
		return []Window{{1000, time.Hour}}
	case PlanEnterprise:
		return []Window{{10_000, time.Hour}}
	case PlanUnlimited:
		return []Window{{Unlimited, time.Hour}}
	}
	return []Window{{100, time.Minute}, {1000, time.Hour}, {10_000, 24 * time.Hour}}
}

// BulkWindow returns the window of bulk requests, which count in the others as
// well, and false if the plan has none.
func (p Plan) BulkWindow() (Window, bool) {
	if p == PlanUnlimited {
		return Window{}, false
	}
	return Window{10, time.Minute}, true
}

// ParsePlan returns the plan of that name; "" is [PlanStandard].
func ParsePlan(name string) (Plan, error) {
	switch p := Plan(name); p {
	case "":
		return PlanStandard, nil
	case PlanStandard, PlanFree, PlanPro, PlanEnterprise, PlanUnlimited:
		return p, nil
	}
	return "", invalid("plan", "must be one of %s, %s, %s, %s and %s", PlanStandard, PlanFree, PlanPro, PlanEnterprise, PlanUnlimited)
}
