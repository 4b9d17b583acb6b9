/** The words that people, firms and goods are made of. Domains and phone numbers are from ranges that belong to nobody. */
export interface Country {
  name: string
  code: string
  locale: string
  timezone: string
  first: readonly string[]
  last: readonly string[]
  cities: readonly (readonly [name: string, region: string | null, latitude: number, longitude: number, zip: string])[]
  /** The n-th number reserved for fiction, or null when they are used up. */
  phone(n: number): string | null
}

const pad = (n: number, digits: number) => String(n).padStart(digits, '0')
const usAreas = [
  202, 206, 212, 213, 215, 303, 305, 312, 313, 314, 404, 408, 412, 415, 502, 503, 504, 505, 512, 602, 612, 615, 617, 702, 713, 801, 808,
  907,
]

export const countries: readonly Country[] = [
  {
    name: 'United States',
    code: 'US',
    locale: 'en-US',
    timezone: 'America/New_York',
    first: ['Ava', 'Noah', 'Mia', 'Liam', 'Zoe', 'Ethan', "D'Andre", 'Grace', 'Owen', 'Mary Jo', 'Caleb', 'Imani'],
    last: [
      'Johnson',
      'Nguyen',
      "O'Neil",
      'Smith-Jones',
      'Ramirez',
      'Brown',
      'Van Dyke',
      'Lee',
      'St. Clair',
      'Washington',
      'Kowalski',
      'Patel',
    ],
    cities: [
      ['Portland', 'Oregon', 45.5152, -122.6784, '97201'],
      ['Austin', 'Texas', 30.2672, -97.7431, '73301'],
      ['Newark', 'New Jersey', 40.7357, -74.1724, '07102'],
    ],
    phone: (n) => (n < usAreas.length * 100 ? `+1${usAreas[n % usAreas.length]}55501${pad(Math.floor(n / usAreas.length), 2)}` : null),
  },
  {
    name: 'France',
    code: 'FR',
    locale: 'fr-FR',
    timezone: 'Europe/Paris',
    first: ['Chloé', 'Léa', 'Hélène', 'Théo', 'François', 'Zoë', 'Anaïs', 'Gaël', 'Jean-Luc', 'Noémie'],
    last: ['Lefèvre', "D'Arc", 'Müller', 'Garçon', 'de La Tour', 'Bernard', 'Moreau', 'Œuvrard', 'Petit', 'Nguyễn'],
    cities: [
      ['Lyon', 'Auvergne-Rhône-Alpes', 45.764, 4.8357, '69001'],
      ['Nîmes', 'Occitanie', 43.8367, 4.3601, '30000'],
      ['Orléans', null, 47.903, 1.9093, '45000'],
    ],
    phone: (n) => (n < 10_000 ? `+3363998${pad(n, 4)}` : null),
  },
  {
    name: 'Germany',
    code: 'DE',
    locale: 'de-DE',
    timezone: 'Europe/Berlin',
    first: ['Jürgen', 'Anna', 'Björn', 'Käthe', 'Max', 'Sören', 'Ayşe', 'Lukas', 'Jörg', 'Mia'],
    last: ['Größe', 'Schäfer', 'Weiß', 'Schmidt', 'von der Heide', 'Öztürk', 'Müller', 'Kaiser', 'Strauß', 'Vogel'],
    cities: [
      ['Köln', 'Nordrhein-Westfalen', 50.9375, 6.9603, '50667'],
      ['Görlitz', 'Sachsen', 51.1506, 14.9687, '02826'],
      ['München', 'Bayern', 48.1351, 11.582, '80331'],
    ],
    phone: (n) => (n < 1000 ? `+493023125${pad(n, 3)}` : null),
  },
  {
    name: 'United Kingdom',
    code: 'GB',
    locale: 'en-GB',
    timezone: 'Europe/London',
    first: ['Olivia', 'Harry', 'Siân', 'Rhys', 'Priya', 'Callum', 'Aoife', 'Mohammed', 'Isla', 'Ciarán'],
    last: ['Smith', 'Okafor', 'Ó Briain', 'Taylor', 'MacLeod', 'Singh', 'Clarke', 'Fitz-Gerald', 'Hughes', 'Ahmed'],
    cities: [
      ['Leeds', 'West Yorkshire', 53.8008, -1.5491, 'LS1 1UR'],
      ['Cardiff', null, 51.4816, -3.1791, 'CF10 1EP'],
      ['London', 'Greater London', 51.5072, -0.1276, 'EC1A 1BB'],
    ],
    phone: (n) => (n < 1000 ? `+447700900${pad(n, 3)}` : null),
  },
  {
    name: 'Japan',
    code: 'JP',
    locale: 'ja-JP',
    timezone: 'Asia/Tokyo',
    first: ['さくら', '健太', 'Yuki', '美咲', 'Haruto', '陽子'],
    last: ['佐藤', '鈴木', 'Tanaka', '高橋', '渡辺', 'Itō'],
    cities: [
      ['京都', '京都府', 35.0116, 135.7681, '600-8001'],
      ['Sapporo', '北海道', 43.0618, 141.3545, '060-0001'],
    ],
    phone: () => null,
  },
  {
    name: 'Poland',
    code: 'PL',
    locale: 'pl-PL',
    timezone: 'Europe/Warsaw',
    first: ['Łukasz', 'Małgorzata', 'Zofia', 'Paweł', 'Żaneta', 'Ola'],
    last: ['Wiśniewski', 'Kowalczyk', 'Zając', 'Dąbrowska', 'Święcicki', 'Nowak'],
    cities: [
      ['Łódź', 'łódzkie', 51.7592, 19.456, '90-001'],
      ['Gdańsk', 'pomorskie', 54.352, 18.6466, '80-001'],
    ],
    phone: () => null,
  },
]

/** Mail hosts; `.example` and `.test` can never be registered. */
export const mailHosts = ['mail.example', 'post.example', 'inbox.test', 'webmail.example'] as const

export const firmWords = [
  'Nordlicht',
  'Alder',
  'Bluebird',
  'Cobalt',
  'Dune',
  'Ember',
  'Fjord',
  'Granite',
  'Harbour',
  'Iris',
  'Juniper',
  'Kestrel',
  'Lumen',
  'Maple',
  'Nimbus',
  'Orchid',
  'Pine',
  'Quartz',
  'Rowan',
  'Sage',
  'Tidal',
  'Umber',
  'Vela',
  'Willow',
  'Yarrow',
  'Zephyr',
] as const
export const firmEnds = ['GmbH & Co. KG', 'Ltd', 'Inc.', 'S.à r.l.', 'Studio', 'Labs', '"Partners"', 'Group', 'AG', 'Sp. z o.o.'] as const
export const industries = ['RETAIL', 'COMPUTER_SOFTWARE', 'APPAREL_FASHION', 'FOOD_BEVERAGES', 'HOSPITALITY', 'CONSUMER_GOODS'] as const
export const goods = [
  'Trail Mug',
  'Wool Scarf',
  'Café Press',
  'Linen Apron',
  'Desk Lamp “Glow”',
  'Notebook A5',
  'Oak Tray',
  'Rain Jacket',
  'Candle №5',
  'Tea Sampler',
  'Hiking Socks',
  'Enamel Pot',
] as const
export const titles = [
  'Buyer',
  'Head of Marketing',
  'Office Manager',
  'CEO',
  'Einkäufer',
  'Responsable achats',
  'Designer',
  'Developer',
] as const
export const plans = ['free', 'silver', 'gold', 'platinum'] as const
export const interests = ['coffee', 'outdoor', 'home', 'stationery', 'gifts'] as const
