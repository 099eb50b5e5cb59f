package knowledge

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
)

// scalarOf returns a string, boolean or float64 for what Go has of them.
func scalarOf(value any) (any, bool) {
	switch v := value.(type) {
	case string, bool:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float32: // as JSON writes it
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return f, err == nil && finite(f)
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), finite(v.Float())
	}
	return nil, false
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// elementsOf returns the elements of a list.
func elementsOf(value any) ([]any, bool) {
	if list, ok := value.([]any); ok {
		return list, true
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return nil, false
	}
	list := make([]any, min(v.Len(), MaxFilterValues+1))
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list, true
}
