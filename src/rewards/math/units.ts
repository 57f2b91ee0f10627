import { parseDecimal, type Rational } from "../../utils/rational.ts";

/** A unit of measure: powers of base dimensions and the factor to their base units. */
export interface Unit {
  readonly dimension: string;
  readonly power: number;
  readonly factor: Rational;
}

/* dimension | power | names = factor, … */
const TABLE = `
length|1|m meter meters metre metres=1, km kilometer kilometers kilometre kilometres=1000, cm centimeter centimeters centimetre centimetres=0.01, mm millimeter millimeters=0.001, nm nanometer nanometers=1e-9, mi mile miles=1609.344, ft foot feet=0.3048, inch inches=0.0254, yd yard yards=0.9144
length|3|L l liter liters litre litres=0.001, mL ml milliliter milliliters=0.000001, gallon gallons gal=0.003785411784, quart quarts=0.000946352946, pint pints=0.000473176473, cup cups=0.0002365882365
length|2|hectare hectares ha=10000, acre acres=4046.8564224
mass|1|kg kilogram kilograms=1, g gram grams=0.001, mg milligram milligrams=0.000001, lb lbs pound pounds=0.45359237, oz ounce ounces=0.028349523125, tonne tonnes=1000
time|1|s sec secs second seconds=1, ms millisecond milliseconds=0.001, min mins minute minutes=60, h hr hrs hour hours=3600, day days=86400, week weeks=604800
month|1|month months=1, year years yr yrs=12
dollar|1|dollar dollars usd=1, cent cents=0.01
euro|1|euro euros eur=1
gbp|1|gbp=1
yuan|1|yuan rmb=1
yen|1|yen=1
rupee|1|rupee rupees rs=1
current|1|A ampere amperes amp amps=1
temperature|1|K kelvin=1
force|1|N newton newtons=1, kN=1000
energy|1|J joule joules=1, kJ=1000
power|1|W watt watts=1, kW=1000
voltage|1|V volt volts=1
frequency|1|Hz hertz=1, kHz=1000
unit|1|unit units=1
radian|0|rad radian radians=1
speed|1|mph=1, kph kmh=0.621371192237334`;

const UNITS: ReadonlyMap<string, Unit> = new Map(
  TABLE.trim()
    .split("\n")
    .flatMap((line) => {
      const [dimension, power, entries] = line.split("|") as [string, string, string];
      return entries.split(", ").flatMap((entry) => {
        const [names, factor] = entry.split("=") as [string, string];
        const unit: Unit = { dimension, power: Number(power), factor: parseDecimal(factor)! };
        return names.split(" ").map((name): [string, Unit] => [name, unit]);
      });
    }),
);

/** A unit by its name; words may be capitalised. */
export function unitOf(name: string): Unit | undefined {
  return UNITS.get(name) ?? (name.length > 2 ? UNITS.get(name.toLowerCase()) : undefined);
}

/** Signs of currencies → names of units. */
export const CURRENCIES: Readonly<Record<string, string>> = {
  $: "dollar",
  "€": "euro",
  "£": "gbp",
  "¥": "yen",
  "₹": "rupee",
  "¢": "cent",
};
