package sampleapi

import (
	"fmt"
	"time"
)

type product struct {
	SKU        string    `json:"sku"`
	Name       string    `json:"name"`
	Category   *string   `json:"category"`
	Price      money     `json:"price"`
	Currency   string    `json:"currency"`
	WeightKg   *money    `json:"weight_kg"`
	Active     bool      `json:"active"`
	Attributes attribute `json:"attributes"`
	UpdatedAt  time.Time `json:"updated_at"`
}

type attribute struct {
	Material string `json:"material"`
	Style    string `json:"style"`
}

// stockLevel is how much of a product lies in one of the warehouses.
type stockLevel struct {
	SKU       string    `json:"sku"`
	Warehouse string    `json:"warehouse"`
	OnHand    int64     `json:"on_hand"`
	Reserved  int64     `json:"reserved"`
	UpdatedAt time.Time `json:"updated_at"`
}

// productRota: with every tick the stock of a product changes, and with each
// fourth change of a product its price.
var productRota = rota{size: fixedProducts, every: 1}

// noCategory is one in how many products was never put into a category. Real
// data is like that, and missions must do something about it.
const noCategory = 271

// productChanged returns when product i, or its stock, was last changed, and how
// often since the start.
func (m moment) productChanged(i int) (at time.Time, times int64) {
	if n, last := productRota.changes(int64(i), m.ticks); n > 0 {
		return m.at(last), n
	}
	r := randomFor(seedProduct, int64(i))
	_, updated := fixedTimes(&r, i, fixedProducts)
	return updated, 0
}

// fixedProduct returns product i as it was at first: what orders are made of, so
// that they don't change with its price.
func (m moment) fixedProduct(i int) product {
	r := randomFor(seedProduct, int64(i))
	_, updated := fixedTimes(&r, i, fixedProducts)
	c := pick(&r, categories)
	p := product{
		SKU:      fmt.Sprintf("%s-%04d", c.prefix, i+1),
		Category: &c.name,
		Currency: "EUR",
		// Prices end in 90, as prices do.
		Price:      money((c.least+r.below(c.most-c.least))/100*100 + 90),
		Active:     !r.chance(6),
		Attributes: attribute{Material: pick(&r, materials), Style: pick(&r, adjectives)},
		UpdatedAt:  updated,
	}
	if (i+1)%noCategory == 0 {
		p.Category = nil
	}
	p.Name = p.Attributes.Style + " " + p.Attributes.Material + " " + pick(&r, c.things)
	if r.chance(90) {
		p.WeightKg = new(money(5 + r.below(1500)))
	}
	return p
}

func (m moment) product(i int) product {
	p := m.fixedProduct(i)
	updated, times := m.productChanged(i)
	p.UpdatedAt = updated
	if rise := (times + int64(i%4)) / 4; times > 0 && rise > 0 {
		p.Price += money(rise%5) * 100
	}
	return p
}

// stockLevels returns how many there are: each product lies in each warehouse.
func (m moment) stockLevels() int { return fixedProducts * len(warehouses) }

func (m moment) stockLevel(i int) stockLevel {
	p, w := i/len(warehouses), i%len(warehouses)
	updated, times := m.productChanged(p)
	r := randomFor(seedStock, int64(i), times)
	s := stockLevel{SKU: m.fixedProduct(p).SKU, Warehouse: warehouses[w], UpdatedAt: updated}
	if !r.chance(3) {
		s.OnHand = int64(r.below(140))
	}
	s.Reserved = int64(r.below(int(s.OnHand)/4 + 1))
	return s
}
