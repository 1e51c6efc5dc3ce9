package sampleapi

import (
	"fmt"
	"strings"
	"time"
)

type customer struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Email     *string   `json:"email"`
	Phone     *string   `json:"phone"`
	Company   *string   `json:"company"`
	Tier      string    `json:"tier"`
	Address   address   `json:"address"`
	Tags      []string  `json:"tags"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type address struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	Zip     string `json:"zip"`
	Country string `json:"country"`
}

// newCustomerEvery is after how many ticks another customer signs up.
const newCustomerEvery = 6

// customerRota: with every second tick a customer moves house or rises a tier.
var customerRota = rota{size: fixedCustomers, every: 2}

func (m moment) customers() int { return fixedCustomers + int(m.ticks/newCustomerEvery) }

// customerChanged returns when customer i was last changed, and how often since
// the start.
func (m moment) customerChanged(i int) (at time.Time, times int64) {
	if i >= fixedCustomers {
		return m.at(int64(i-fixedCustomers+1) * newCustomerEvery), 0
	}
	if n, last := customerRota.changes(int64(i), m.ticks); n > 0 {
		return m.at(last), n
	}
	r := randomFor(seedCustomer, int64(i))
	_, updated := fixedTimes(&r, i, fixedCustomers)
	return updated, 0
}

// badEmail is one in how many customers has an address that is none.
const badEmail = 239

func (m moment) customer(i int) customer {
	r := randomFor(seedCustomer, int64(i))
	created, _ := fixedTimes(&r, i%fixedCustomers, fixedCustomers)
	updated, times := m.customerChanged(i)
	if i >= fixedCustomers {
		created = updated
	}
	first, last := pick(&r, firstNames), pick(&r, lastNames)
	c := customer{
		ID: int64(i + 1), Name: first + " " + last, Tags: []string{},
		CreatedAt: created, UpdatedAt: updated,
	}
	switch {
	case (i+1)%badEmail == 0:
		c.Email = new("none given")
	case !r.chance(2):
		c.Email = new(fmt.Sprintf("%s.%s%d@example.com", asciiLower(first), asciiLower(last), i+1))
	}
	if r.chance(70) {
		c.Phone = new(fmt.Sprintf("+%d %d %07d", 31+r.below(18), 20+r.below(70), r.below(10_000_000)))
	}
	if r.chance(35) {
		c.Company = new(last + " " + pick(&r, companyForms))
	}
	c.Tier = tiers[min(r.below(len(tiers)+2)/2+int(times%2), len(tiers)-1)]
	for _, tag := range customerTags {
		if r.chance(20) {
			c.Tags = append(c.Tags, tag)
		}
	}
	c.Address = addressOf(i, times)
	return c
}

// addressOf returns where a customer lives after so many changes.
func addressOf(i int, times int64) address {
	r := randomFor(seedCustomer, int64(i), times/2)
	town := pick(&r, towns)
	return address{
		Street:  fmt.Sprintf("%s %d", pick(&r, streets), 1+r.below(140)),
		City:    town.city,
		Zip:     fmt.Sprintf("%05d", 10000+r.below(89999)),
		Country: town.country,
	}
}

// asciiLower returns a name as it stands in an e-mail address.
func asciiLower(name string) string {
	return strings.ToLower(strings.NewReplacer(
		"Ç", "C", "ä", "ae", "ö", "oe", "ü", "ue", "ø", "o", "å", "a", "é", "e", "è", "e", "í", "i",
		"ñ", "n", "ç", "c", "ł", "l", "ó", "o", "á", "a", "ß", "ss", "'", "", " ", "",
	).Replace(name))
}
