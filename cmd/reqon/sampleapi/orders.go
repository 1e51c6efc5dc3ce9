package sampleapi

import (
	"encoding/json"
	"fmt"
	"time"
)

type order struct {
	ID               int64       `json:"id"`
	Number           string      `json:"number"`
	PaymentReference json.Number `json:"payment_reference"` // 20 digits: no float holds it
	CustomerID       int64       `json:"customer_id"`
	Status           string      `json:"status"`
	Currency         string      `json:"currency"`
	Items            []orderItem `json:"items"`
	Discount         *money      `json:"discount"`
	Shipping         money       `json:"shipping"`
	Total            money       `json:"total"`
	Note             *string     `json:"note"`
	CreatedAt        time.Time   `json:"created_at"`
	UpdatedAt        time.Time   `json:"updated_at"`
}

type orderItem struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Price    money  `json:"price"`
}

// orderDetail is what the endpoint of one order has more than the list.
type orderDetail struct {
	order
	ShipTo  address      `json:"ship_to"`
	History []orderState `json:"history"`
}

type orderState struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// orderEvent is one line of the change feed.
type orderEvent struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	OrderID int64     `json:"order_id"`
	At      time.Time `json:"at"`
}

type invoice struct {
	Number   string    `json:"number"`
	OrderID  int64     `json:"order_id"`
	Currency string    `json:"currency"`
	Net      money     `json:"net"`
	Tax      money     `json:"tax"`
	Gross    money     `json:"gross"`
	IssuedAt time.Time `json:"issued_at"`
}

// The statuses of an order.
const (
	pending   = "pending"
	paid      = "paid"
	shipped   = "shipped"
	delivered = "delivered"
	cancelled = "cancelled"
	refunded  = "refunded"
)

var orderStatuses = []string{pending, paid, shipped, delivered, cancelled, refunded}

// firstOrder is the id of order 0.
const firstOrder = 10001

// wrongTotal is one in how many orders has a total that its lines don't add up to.
const wrongTotal = 997

// orderRota: with every third tick one of the fixed orders moves on, or support
// adds a note to it.
var orderRota = rota{size: fixedOrders, every: 3}

// How many ticks after it was placed a new order goes on to the next status.
const (
	paidAfter      = 6
	shippedAfter   = 12
	deliveredAfter = 24
)

// orders returns how many there are: with each tick one more is placed.
func (m moment) orders() int { return fixedOrders + int(m.ticks) }

// orderIndex returns the index of the order with an id.
func (m moment) orderIndex(id int64) (i int, ok bool) {
	if id < firstOrder || id-firstOrder >= int64(m.orders()) {
		return 0, false
	}
	return int(id - firstOrder), true
}

// history returns the states that order i has gone through, and how often support
// has added a note to it since. The last state's time is that of the last change.
func (m moment) history(i int) (states []orderState, notes int64) {
	r := randomFor(seedOrder, int64(i))
	if i >= fixedOrders {
		return m.newHistory(&r, int64(i-fixedOrders+1)), 0
	}
	created, updated := fixedTimes(&r, i, fixedOrders)
	states = []orderState{{pending, created}}
	path := fixedPath(&r)
	for n, status := range path {
		at := created.Add(updated.Sub(created) * time.Duration(n+1) / time.Duration(len(path)))
		states = append(states, orderState{status, at.Truncate(time.Second)})
	}
	n, last := orderRota.changes(int64(i), m.ticks)
	for turn := n; turn > 0; turn-- {
		next := nextStatus(states[len(states)-1].Status)
		if next == "" {
			return states, turn
		}
		tick := last - (turn-1)*orderRota.size*orderRota.every
		states = append(states, orderState{next, m.at(tick)})
	}
	return states, 0
}

// newHistory returns the states of an order that was placed with a tick.
func (m moment) newHistory(r *random, tick int64) []orderState {
	states := []orderState{{pending, m.at(tick)}}
	steps := []struct {
		after  int64
		status string
	}{{paidAfter, paid}, {shippedAfter, shipped}, {deliveredAfter, delivered}}
	if r.chance(10) {
		steps = steps[:1]
		steps[0].status = cancelled
	}
	for _, s := range steps {
		if m.ticks-tick >= s.after {
			states = append(states, orderState{s.status, m.at(tick + s.after)})
		}
	}
	return states
}

// fixedPath returns the states of a fixed order after pending.
func fixedPath(r *random) []string {
	switch n := r.below(100); {
	case n < 70:
		return []string{paid, shipped, delivered}
	case n < 78:
		return []string{paid, shipped, delivered, refunded}
	case n < 86:
		return []string{cancelled}
	case n < 93:
		return []string{paid, shipped}
	case n < 98:
		return []string{paid}
	}
	return nil
}

func nextStatus(status string) string {
	switch status {
	case pending:
		return paid
	case paid:
		return shipped
	case shipped:
		return delivered
	}
	return ""
}

// orderChanged returns when order i was last changed.
func (m moment) orderChanged(i int) time.Time {
	if i < fixedOrders {
		if n, last := orderRota.changes(int64(i), m.ticks); n > 0 {
			return m.at(last)
		}
	}
	states, _ := m.history(i)
	return states[len(states)-1].At
}

func (m moment) order(i int) order {
	states, notes := m.history(i)
	return m.orderOf(i, states, notes)
}

// orderOf returns order i, whose history is known.
func (m moment) orderOf(i int, states []orderState, notes int64) order {
	// An order's fields have a generator of their own, apart from its history's.
	r := randomFor(seedOrder, int64(i), 1)
	buyer := buyerOf(i)
	o := order{
		ID:               int64(firstOrder + i),
		Number:           fmt.Sprintf("SO-%d-%05d", states[0].At.Year(), i+1),
		PaymentReference: json.Number(fmt.Sprintf("9007%016d", r.next()%1e16)),
		CustomerID:       int64(buyer + 1),
		Status:           states[len(states)-1].Status,
		Currency:         currencyOf(addressOf(buyer, 0).Country),
		Shipping:         money(pick(&r, []int{0, 390, 490, 990})),
		CreatedAt:        states[0].At,
		UpdatedAt:        m.orderChanged(i),
	}
	for range 1 + r.below(4) {
		p := m.fixedProduct(r.below(fixedProducts))
		item := orderItem{SKU: p.SKU, Name: p.Name, Quantity: int64(1 + r.below(4)), Price: p.Price}
		o.Items = append(o.Items, item)
		o.Total += item.Price * money(item.Quantity)
	}
	if r.chance(25) {
		o.Discount = new(o.Total * money(5+r.below(15)) / 100)
		o.Total -= *o.Discount
	}
	o.Total += o.Shipping
	if (i+1)%wrongTotal == 0 {
		o.Total += 100
	}
	if r.chance(30) {
		o.Note = new(pick(&r, orderNotes))
	}
	if notes > 0 {
		o.Note = new(fmt.Sprintf("Support has answered (%d)", notes))
	}
	return o
}

// buyerOf returns the index of the customer who placed order i: one who had
// signed up by then.
func buyerOf(i int) int {
	r := randomFor(seedOrder, int64(i), 2)
	return r.below(max(min(i, fixedOrders)*fixedCustomers/fixedOrders, 1))
}

func (m moment) orderDetail(i int) orderDetail {
	states, notes := m.history(i)
	o := m.orderOf(i, states, notes)
	return orderDetail{order: o, ShipTo: addressOf(int(o.CustomerID-1), 0), History: states}
}

// invoice returns the invoice of order i. An order that has not been paid has
// none.
func (m moment) invoice(i int) (inv invoice, ok bool) {
	states, notes := m.history(i)
	for _, s := range states {
		if s.Status != paid {
			continue
		}
		o := m.orderOf(i, states, notes)
		net := o.Total * 100 / 121 // 21 % tax
		return invoice{
			Number: fmt.Sprintf("INV-%05d", i+1), OrderID: o.ID, Currency: o.Currency,
			Net: net, Tax: o.Total - net, Gross: o.Total, IssuedAt: s.At,
		}, true
	}
	return invoice{}, false
}

// events returns the change feed from a time on, by order and within one in the
// order of time.
func (m moment) events(since time.Time) []orderEvent {
	var events []orderEvent
	for i := range m.orders() {
		if m.orderChanged(i).Before(since) {
			continue
		}
		states, _ := m.history(i)
		for _, s := range states {
			if !s.At.Before(since) {
				id := int64(firstOrder + i)
				events = append(events, orderEvent{fmt.Sprintf("evt_%d_%s", id, s.Status), "order." + s.Status, id, s.At})
			}
		}
	}
	return events
}
