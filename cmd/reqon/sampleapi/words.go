package sampleapi

// What names are made of. They are never written to.
var (
	firstNames = []string{
		"Ada", "Aisha", "Amélie", "Anders", "Beatriz", "Björn", "Carmen", "Chidi", "Clara", "Daniel",
		"Elif", "Emil", "Emma", "Fatima", "Felix", "Freya", "Giulia", "Hana", "Hugo", "Ines",
		"Ivan", "Jonas", "José", "Karin", "Kenji", "Lars", "Léa", "Lena", "Liam", "Lucía",
		"Magnus", "Maria", "Mateusz", "Mei", "Mia", "Nadia", "Niamh", "Noah", "Olga", "Omar",
		"Paula", "Pedro", "Priya", "Rafael", "Rosa", "Søren", "Sofia", "Tariq", "Thomas", "Yuki",
	}
	lastNames = []string{
		"Andersson", "Bakker", "Becker", "Bianchi", "Brown", "Çelik", "Costa", "Dubois", "Eriksen", "Fischer",
		"García", "Green", "Haddad", "Hansen", "Hoffmann", "Ivanova", "Jansen", "Jones", "Kaya", "Keller",
		"Kowalski", "Larsen", "Lefèvre", "Lindqvist", "Lopez", "Martin", "Meyer", "Moreau", "Müller", "Murphy",
		"Nakamura", "Nielsen", "Novák", "O'Brien", "Okafor", "Peeters", "Pereira", "Petrov", "Rossi", "Roux",
		"Sato", "Schneider", "Silva", "Smith", "Tanaka", "Van Dijk", "Virtanen", "Weber", "Wójcik", "Zhang",
	}
	companyForms = []string{"& Sons", "GmbH", "Ltd", "BV", "AB", "Design Studio", "Logistics", "Consulting", "Bakery", "Architects"}
	customerTags = []string{"newsletter", "wholesale", "b2b"}
	tiers        = []string{"basic", "silver", "gold"}
	streets      = []string{
		"Market Street", "Station Road", "Canal Walk", "Lindenallee", "Rue des Fleurs", "Via Roma", "Calle Mayor",
		"Storgatan", "Kirkegata", "Ulica Długa", "Prinsengracht", "Mill Lane", "Hauptstraße", "Rua Augusta",
	}

	towns = []town{
		{"Amsterdam", "NL"}, {"Berlin", "DE"}, {"Hamburg", "DE"}, {"Munich", "DE"}, {"Paris", "FR"}, {"Lyon", "FR"},
		{"Madrid", "ES"}, {"Barcelona", "ES"}, {"Rome", "IT"}, {"Milan", "IT"}, {"Lisbon", "PT"}, {"Vienna", "AT"},
		{"Zurich", "CH"}, {"London", "GB"}, {"Leeds", "GB"}, {"Dublin", "IE"}, {"Stockholm", "SE"}, {"Malmö", "SE"},
		{"Copenhagen", "DK"}, {"Helsinki", "FI"}, {"Warsaw", "PL"}, {"Kraków", "PL"}, {"New York", "US"}, {"Chicago", "US"},
	}

	categories = []category{
		{"lighting", "LGT", []string{"Desk Lamp", "Floor Lamp", "Pendant", "Lantern", "Wall Light"}, 1500, 24000},
		{"kitchen", "KIT", []string{"Teapot", "Bread Knife", "Cutting Board", "Pan, 28 cm", "Mug", "Colander"}, 600, 9000},
		{"textiles", "TEX", []string{"Blanket", "Cushion", "Tea Towel", "Rug, 2 x 3 m", "Curtain"}, 700, 32000},
		{"office", "OFF", []string{"Notebook A5", "Fountain Pen", "Paper Tray", "Desk Pad", "Bookend"}, 250, 6500},
		{"garden", "GRD", []string{"Watering Can", "Plant Pot", "Bird House", "Trowel", "Bench"}, 500, 28000},
	}
	adjectives = []string{
		"Nordic", "Classic", "Compact", "Everyday", "Folding", "Heritage", "Little", "Long", "Modern", "Quiet",
		"Round", "Rustic", "Simple", "Slim", "Solid", "Studio", "Sunday", "Travel", "Vintage", "Winter",
	}
	materials = []string{"Oak", "Walnut", "Linen", "Wool", "Steel", "Copper", "Glass", "Ceramic", "Bamboo", "Leather"}

	warehouses = []string{"AMS", "GDN"}

	orderNotes = []string{
		"Please leave with the neighbours",
		"Gift: no invoice in the parcel",
		"Ring twice, the bell is quiet",
		`Engrave with "Für Oma ❤"`,
		"Deliver after 17:00\nThank you!",
		"Invoice to the company, please",
	}
)

type town struct{ city, country string }

// currencyOf returns what is paid with in a country.
func currencyOf(country string) string {
	switch country {
	case "GB":
		return "GBP"
	case "US":
		return "USD"
	case "CH":
		return "CHF"
	case "SE":
		return "SEK"
	}
	return "EUR"
}

// category is a kind of product. Prices are hundredths.
type category struct {
	name, prefix string
	things       []string
	least, most  int
}
