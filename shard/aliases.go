package shard

// commonNames are what a city is called when the city file knows it by a longer
// or an older name. They count like names of their own: where several cities
// share one, the largest is meant.
var commonNames = map[string]string{
	"New York": "New York City, NY", "Washington": "Washington, D.C., DC", "Lexington": "Lexington-Fayette, KY",
	"Bronx": "The Bronx, NY", "Sudbury": "Greater Sudbury, ON", "Napanee": "Greater Napanee, ON", "Sorel": "Sorel-Tracy, QC",
	"Valleyfield": "Salaberry-de-Valleyfield, QC", "Dollard": "Dollard-Des Ormeaux, QC", "Plateau": "le Plateau, QC",
	"Ciudad de México": "Mexico City, CMX", "León": "León de los Aldama, GUA", "Querétaro": "Santiago de Querétaro, QUE",
	"Durango": "Victoria de Durango, DUR", "Matamoros": "Heroica Matamoros, TAM", "Xalapa": "Xalapa de Enríquez, VER",
	"Jalapa": "Xalapa de Enríquez, VER", "Acapulco": "Acapulco de Juárez, GRO", "Naucalpan": "Naucalpan de Juárez, MEX",
	"Ecatepec": "Ecatepec de Morelos, MEX", "Pachuca": "Pachuca de Soto, HID", "Nezahualcóyotl": "Ciudad Nezahualcoyotl, MEX",
	"Tuxtla Gutiérrez": "Tuxtla, CHP", "Poza Rica": "Poza Rica de Hidalgo, VER", "Oaxaca de Juárez": "Oaxaca, OAX",
	"Zitácuaro": "Heróica Zitácuaro, MIC", "Heroica Puebla de Zaragoza": "Puebla, PUE", "Toluca de Lerdo": "Toluca, MEX",
	"Chimalhuacán": "Santa María Chimalhuacán, MEX", "Apodaca": "Ciudad Apodaca, NLE", "Escobedo": "Ciudad General Escobedo, NLE",
	"Coacalco de Berriozábal": "Coacalco, MEX", "Culiacán Rosales": "Culiacán, SIN", "San Nicolás": "San Nicolás de los Garza, NLE",
	"Soledad": "Soledad de Graciano Sánchez, SLP", "San Cristóbal": "San Cristóbal de las Casas, CHP",
	"Cuajimalpa": "Delegación Cuajimalpa de Morelos, CMX", "Veracruz Puerto": "Veracruz, VER", "San Pedro Garza": "San Pedro Garza García, NLE",
}

// nicknames are what people write instead of a name. A real name goes before
// them.
var nicknames = map[string]string{
	// United States
	"NYC": "New York City, NY", "NY": "New York City, NY", "NY City": "New York City, NY", "New York New York": "New York City, NY",
	"Big Apple": "New York City, NY", "The Big Apple": "New York City, NY", "Nueva York": "New York City, NY",
	"LA": "Los Angeles, CA", "LAX": "Los Angeles, CA", "City of Angels": "Los Angeles, CA",
	"SF": "San Francisco, CA", "SFO": "San Francisco, CA", "San Fran": "San Francisco, CA",
	"SJ": "San Jose, CA", "SJC": "San Jose, CA", "SD": "San Diego, CA", "Oaktown": "Oakland, CA",
	"LBC": "Long Beach, CA", "Sac": "Sacramento, CA", "Sacto": "Sacramento, CA", "Philly": "Philadelphia, PA", "PHL": "Philadelphia, PA",
	"Vegas": "Las Vegas, NV", "LV": "Las Vegas, NV", "NOLA": "New Orleans, LA", "Nawlins": "New Orleans, LA",
	"Big Easy": "New Orleans, LA", "The Big Easy": "New Orleans, LA", "Nueva Orleans": "New Orleans, LA",
	"DC": "Washington, D.C., DC", "Washington DC": "Washington, D.C., DC", "WDC": "Washington, D.C., DC", "District of Columbia": "Washington, D.C., DC",
	"Chi": "Chicago, IL", "Chitown": "Chicago, IL", "Windy City": "Chicago, IL", "The Windy City": "Chicago, IL",
	"ATL": "Atlanta, GA", "Hotlanta": "Atlanta, GA", "HTown": "Houston, TX", "HTX": "Houston, TX", "DTX": "Dallas, TX", "Big D": "Dallas, TX",
	"ATX": "Austin, TX", "SATX": "San Antonio, TX", "San Antone": "San Antonio, TX", "FTW": "Fort Worth, TX",
	"EPTX": "El Paso, TX", "PHX": "Phoenix, AZ", "Jax": "Jacksonville, FL", "MIA": "Miami, FL", "Magic City": "Miami, FL", "TPA": "Tampa, FL",
	"ORL": "Orlando, FL", "St Pete": "St. Petersburg, FL", "Ft Laudy": "Fort Lauderdale, FL", "FLL": "Fort Lauderdale, FL", "Indy": "Indianapolis, IN",
	"CLT": "Charlotte, NC", "Queen City": "Charlotte, NC", "Raleigh Durham": "Raleigh, NC", "SEA": "Seattle, WA",
	"Emerald City": "Seattle, WA", "PDX": "Portland, OR", "Rip City": "Portland, OR", "DEN": "Denver, CO", "Mile High City": "Denver, CO",
	"COS": "Colorado Springs, CO", "DET": "Detroit, MI", "Motown": "Detroit, MI", "Motor City": "Detroit, MI", "BOS": "Boston, MA",
	"Beantown": "Boston, MA", "Southie": "South Boston, MA", "Bmore": "Baltimore, MD", "Charm City": "Baltimore, MD", "OKC": "Oklahoma City, OK",
	"KC": "Kansas City, MO", "KCMO": "Kansas City, MO", "KCK": "Kansas City, KS", "STL": "St. Louis, MO", "MSP": "Minneapolis, MN",
	"Mpls": "Minneapolis, MN", "Twin Cities": "Minneapolis, MN",
	"Minneapolis St Paul": "Minneapolis, MN", "Dallas Fort Worth": "Dallas, TX", "DFW": "Dallas, TX", "Cincy": "Cincinnati, OH", "Cinci": "Cincinnati, OH", "CLE": "Cleveland, OH",
	"CBus": "Columbus, OH", "Pitt": "Pittsburgh, PA", "PGH": "Pittsburgh, PA", "Steel City": "Pittsburgh, PA", "MKE": "Milwaukee, WI",
	"Cream City": "Milwaukee, WI", "BNA": "Nashville, TN", "Music City": "Nashville, TN", "Nashville Davidson": "Nashville, TN",
	"Bluff City": "Memphis, TN", "SLC": "Salt Lake City, UT", "ABQ": "Albuquerque, NM", "Duke City": "Albuquerque, NM", "HNL": "Honolulu, HI",
	"ANC": "Anchorage, AK", "RVA": "Richmond, VA", "VB": "Virginia Beach, VA", "CHS": "Charleston, SC", "BR": "Baton Rouge, LA",
	"Brklyn": "Brooklyn, NY", "BK": "Brooklyn, NY", "Bklyn": "Brooklyn, NY", "BX": "The Bronx, NY", "SI": "Staten Island, NY", "JC": "Jersey City, NJ",
	"Winston": "Winston-Salem, NC", "Lex": "Lexington-Fayette, KY", "Louisville Jefferson": "Louisville, KY",
	// Canada
	"TO": "Toronto, ON", "TDot": "Toronto, ON", "The 6": "Toronto, ON", "The 6ix": "Toronto, ON", "YYZ": "Toronto, ON", "Hogtown": "Toronto, ON",
	"GTA": "Toronto, ON", "MTL": "Montréal, QC", "YUL": "Montréal, QC", "Van": "Vancouver, BC", "YVR": "Vancouver, BC", "Vancity": "Vancouver, BC",
	"North Van": "North Vancouver, BC", "West Van": "West Vancouver, BC", "New West": "New Westminster, BC", "Van City": "Vancouver, BC",
	"YYC": "Calgary, AB", "Cowtown": "Calgary, AB", "YEG": "Edmonton, AB", "YOW": "Ottawa, ON", "YWG": "Winnipeg, MB", "Winterpeg": "Winnipeg, MB",
	"The Peg": "Winnipeg, MB", "YHZ": "Halifax, NS", "Hamont": "Hamilton, ON", "The Hammer": "Hamilton, ON", "Sauga": "Mississauga, ON", "KW": "Kitchener, ON",
	"Kitchener Waterloo": "Kitchener, ON", "Soo": "Sault Ste. Marie, ON", "The Soo": "Sault Ste. Marie, ON", "YQB": "Québec, QC", "QC": "Québec, QC",
	"NDG": "Notre-Dame-de-Grâce, QC", "DDO": "Dollard-Des Ormeaux, QC", "PoCo": "Port Coquitlam, BC", "St Kitts": "St. Catharines, ON",
	"Fort Mac": "Fort McMurray, AB", "Toontown": "Saskatoon, SK", "TBay": "Thunder Bay, ON", "YXE": "Saskatoon, SK",
	// Mexico
	"CDMX": "Mexico City, CMX", "DF": "Mexico City, CMX", "México DF": "Mexico City, CMX", "México": "Mexico City, CMX", "Ciudad México": "Mexico City, CMX",
	"Distrito Federal": "Mexico City, CMX", "Mexico City DF": "Mexico City, CMX",
	"MX City": "Mexico City, CMX", "GDL": "Guadalajara, JAL", "Guanatos": "Guadalajara, JAL", "MTY": "Monterrey, NLE",
	"TJ": "Tijuana, BCN", "QRO": "Santiago de Querétaro, QUE", "SLP": "San Luis Potosí, SLP",
	"Vallarta": "Puerto Vallarta, JAL", "PV": "Puerto Vallarta, JAL", "PVR": "Puerto Vallarta, JAL", "Playa": "Playa del Carmen, ROO",
	"Cun": "Cancún, ROO", "Cabo": "Cabo San Lucas, BCS", "Los Cabos": "Cabo San Lucas, BCS", "Neza": "Ciudad Nezahualcoyotl, MEX",
	"Aca": "Acapulco de Juárez, GRO", "Ags": "Aguascalientes, AGU",
	"Cuerna": "Cuernavaca, MOR", "Hermo": "Hermosillo, SON", "Mochis": "Los Mochis, SIN", "Edomex": "Ecatepec de Morelos, MEX",
	"GAM": "Gustavo Adolfo Madero, CMX", "Gustavo A Madero": "Gustavo Adolfo Madero, CMX", "Izcalli": "Cuautitlán Izcalli, MEX",
	"Tlalne": "Tlalnepantla, MEX", "Tlalnepantla de Baz": "Tlalnepantla, MEX", "Coatza": "Coatzacoalcos, VER", "Tuxtla Gtz": "Tuxtla, CHP",
	"San Cris": "San Cristóbal de las Casas, CHP", "Vhsa": "Villahermosa, TAB", "San Pedro GG": "San Pedro Garza García, NLE",
}
