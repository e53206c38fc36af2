package shard

import "slices"

// states are the states and provinces by country and code of the city file,
// with the names and further abbreviations by which people add them to a city.
// One word may mean several: "CA" is California and Canada, "BC" is British
// Columbia and Baja California.
var states = map[string]map[string][]string{
	"US": {
		"AL": {"Alabama", "Ala"}, "AK": {"Alaska"}, "AZ": {"Arizona", "Ariz"}, "AR": {"Arkansas", "Ark"},
		"CA": {"California", "Calif", "Cali"}, "CO": {"Colorado", "Colo"}, "CT": {"Connecticut", "Conn"}, "DE": {"Delaware", "Del"},
		"DC": {"District of Columbia"}, "FL": {"Florida", "Fla"}, "GA": {"Georgia"}, "HI": {"Hawaii"}, "ID": {"Idaho"},
		"IL": {"Illinois", "Ill"}, "IN": {"Indiana", "Ind"}, "IA": {"Iowa"}, "KS": {"Kansas", "Kan", "Kans"}, "KY": {"Kentucky", "Ken"},
		"LA": {"Louisiana"}, "ME": {"Maine"}, "MD": {"Maryland"}, "MA": {"Massachusetts", "Mass"}, "MI": {"Michigan", "Mich"},
		"MN": {"Minnesota", "Minn"}, "MS": {"Mississippi", "Miss"}, "MO": {"Missouri"}, "MT": {"Montana", "Mont"},
		"NE": {"Nebraska", "Neb", "Nebr"}, "NV": {"Nevada", "Nev"}, "NH": {"New Hampshire"}, "NJ": {"New Jersey", "Jersey"},
		"NM": {"New Mexico"}, "NY": {"New York", "New York State"}, "NC": {"North Carolina", "N Carolina"},
		"ND": {"North Dakota", "N Dakota"}, "OH": {"Ohio"}, "OK": {"Oklahoma", "Okla"}, "OR": {"Oregon", "Ore"},
		"PA": {"Pennsylvania", "Penn", "Penna"}, "RI": {"Rhode Island"}, "SC": {"South Carolina", "S Carolina"},
		"SD": {"South Dakota", "S Dakota"}, "TN": {"Tennessee", "Tenn"}, "TX": {"Texas", "Tex"}, "UT": {"Utah"}, "VT": {"Vermont"},
		"VA": {"Virginia"}, "WA": {"Washington", "Wash", "Washington State"}, "WV": {"West Virginia", "W Virginia"},
		"WI": {"Wisconsin", "Wis", "Wisc"}, "WY": {"Wyoming", "Wyo"},
	},
	"CA": {
		"AB": {"Alberta", "Alta"}, "BC": {"British Columbia", "Colombie-Britannique"}, "MB": {"Manitoba", "Man"},
		"NB": {"New Brunswick", "Nouveau-Brunswick"}, "NL": {"Newfoundland and Labrador", "Newfoundland", "Labrador", "Nfld", "Terre-Neuve"},
		"NS": {"Nova Scotia", "Nouvelle-Écosse"}, "NT": {"Northwest Territories", "NWT"}, "NU": {"Nunavut"}, "ON": {"Ontario", "Ont"},
		"PE": {"Prince Edward Island", "PEI", "Île-du-Prince-Édouard"}, "QC": {"Québec", "Que", "PQ"},
		"SK": {"Saskatchewan", "Sask"}, "YT": {"Yukon", "Yukon Territory"},
	},
	"MX": {
		"AGU": {"Aguascalientes", "Ags"}, "BCN": {"Baja California", "Baja California Norte", "BC", "Baja"},
		"BCS": {"Baja California Sur"}, "CAM": {"Campeche", "Camp"}, "CHP": {"Chiapas", "Chis"}, "CHH": {"Chihuahua", "Chih"},
		"COA": {"Coahuila", "Coahuila de Zaragoza", "Coah"}, "COL": {"Colima"},
		"CMX": {"Ciudad de México", "CDMX", "DF", "Distrito Federal", "Mexico City"}, "DUR": {"Durango", "Dgo"},
		"GUA": {"Guanajuato", "Gto"}, "GRO": {"Guerrero"}, "HID": {"Hidalgo", "Hgo"}, "JAL": {"Jalisco"},
		"MEX": {"Estado de México", "Edo de México", "Edomex", "Edo Mex", "State of Mexico"},
		"MIC": {"Michoacán", "Michoacán de Ocampo", "Mich"}, "MOR": {"Morelos"}, "NAY": {"Nayarit"}, "NLE": {"Nuevo León", "NL"},
		"OAX": {"Oaxaca"}, "PUE": {"Puebla"}, "QUE": {"Querétaro", "Qro"}, "ROO": {"Quintana Roo", "Q Roo", "QR"},
		"SLP": {"San Luis Potosí"}, "SIN": {"Sinaloa"}, "SON": {"Sonora"}, "TAB": {"Tabasco"}, "TAM": {"Tamaulipas", "Tamps"},
		"TLA": {"Tlaxcala", "Tlax"}, "VER": {"Veracruz", "Veracruz de Ignacio de la Llave"}, "YUC": {"Yucatán"}, "ZAC": {"Zacatecas"},
	},
}

// countries are the countries by code, with what people call them.
var countries = map[string][]string{
	"US": {"USA", "United States", "United States of America", "America", "Estados Unidos", "EEUU", "EUA"},
	"CA": {"CAN", "Canada"},
	"MX": {"MEX", "Mexico", "México", "Estados Unidos Mexicanos"},
}

// place is what may follow a city's name: a country, or a state in it.
type place struct{ country, state string }

// admits tells whether a city lies there.
func (p place) admits(city *City) bool {
	return p.country == city.Country && (p.state == "" || p.state == city.State)
}

// qualifiers maps the key of what may follow a city's name to all it can mean,
// states before countries: "Ontario, CA" is in California, and only where
// California has no such city is CA Canada.
func qualifiers() map[string][]place {
	table := map[string][]place{}
	add := func(name string, p place) {
		if key := normalize(name); !slices.Contains(table[key], p) {
			table[key] = append(table[key], p)
		}
	}
	for _, country := range []string{"US", "CA", "MX"} {
		for code, names := range states[country] {
			for _, name := range append([]string{code}, names...) {
				add(name, place{country, code})
				for _, called := range append([]string{country}, countries[country]...) {
					add(name+" "+called, place{country, code})
				}
			}
		}
	}
	for country, names := range countries {
		for _, name := range append([]string{country}, names...) {
			add(name, place{country: country})
		}
	}
	return table
}
