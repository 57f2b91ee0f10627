import type { Range } from "./family.ts";

/** Everyday English words in lower case, 3 to 12 letters, written for this project. */
const WORDS = `
ant arm art axe bag ball bat bay bed bee bell bird boat bone book bowl box boy bread brick brush bus cab cap car cat
cow cub cup day den desk dog door dot dove drum dry duck ear east egg elf elm end eye fan far farm fast fat fig fin fire
fish fit flag flea floor fog fox frog fun fur gap gas gate gem gift glad goat gold gum gun hall ham hand hat hawk hay
hen hill hip hoe home hood horn hot hut ice ink iron jam jar jaw jet job jog joy jug key kid kind kit kite knee lab lake
lamb lamp land lap law leaf leg lid lime lion lip log lung mad man map mat milk mint mix mole moon mop moss moth mouth
mud mug nail nap neck nest net new nod nose nut oak oar oat oil old one oven owl oxen pad page palm pan park path paw pea
pear pen pet pie pig pin pit plum pod pond pony pool pot pup rag rain ram ran rat raw ray red rib rice ring rise road rob
rock rod roof room root rope rose row rub rug run rust sad sail salt sand sap saw sea seed set ship shoe shop sing sip
sit six ski sky snow soap sock sofa soil song soup spy star stem step sun swan tail tan tap tar tea team ten tent tie tin
tip toad toe ton tooth top town toy tray tree tub tug two van vase vet vine wall war wasp wave wax web well wet whale
wheat wig wind wing wolf wood wool worm yam yard yarn yes yet zebra zip zoo
acorn actor adult agent alarm album alley amber ankle apple apron arrow attic award bacon badge baker beach beard bench
berry blade blanket blaze block bloom board brain branch breeze bridge broom brother bucket bunch butter button cabin
cable camel camera candle candy canoe carpet carrot castle cattle cellar chair chalk chain cheese cherry chess chest
chicken chief circle circus clay clever cliff clock cloth cloud clown coach coast coffee collar comet copper corner
cotton couch cousin cradle crane crayon cream creek cricket crown cube curtain cushion daisy dance danger deer
desert dinner dish ditch doctor dollar dolphin donkey dragon drawer dream dress drift driver eagle earth easel echo
elbow engine evening fabric factory falcon family farmer feather fence ferry fiddle field finger flame flock flour flower
flute forest fork fossil fountain frame friend frost fruit funnel garage garden garlic ginger giraffe glass globe
glove goose grain grape grass gravel guitar hammer hamster harbor harvest hazel heart helmet herb hockey honey hook
horse hotel hour house husband igloo insect island ivory jacket jelly jewel jigsaw juice jungle kettle kitchen kitten
knife ladder lantern laptop laundry lawn leather lemon letter level library light lily lizard lobster locket lumber
lunch magnet maple marble market meadow medal melon metal middle minute mirror mitten monkey month morning mother
motor mountain mouse muffin museum music mustard napkin needle nephew night noodle north number ocean office olive
onion orange orchard otter oyster paddle paint palace panda panther paper parade parent parrot pasta pastry peach
peanut pebble pelican pencil penguin people pepper piano picnic picture pigeon pillow pilot pirate planet plate player
pocket poem potato powder prince puddle pumpkin puppy puzzle quail quarter queen quilt rabbit radio raft ranch raven
ribbon river robin robot rocket rooster ruler saddle salad salmon sandal scarf school scooter season shadow shark
sheep shelf shell shirt shovel shower signal silver sister skate sleeve snail snake spider spinach spoon spring
squirrel stable stage stamp station statue stone store storm stove straw street string sugar summer sunset swing
table teacher temple tennis thread thumb thunder ticket tiger timber toast tomato tower tractor trail train treasure
truck trumpet tulip tunnel turkey turtle uncle valley velvet village violin voice wagon waiter walnut water weather
weekend whistle window winter wizard woman writer yellow yogurt zipper
adventure afternoon alligator alphabet ambulance anchor animal answer antelope apartment appetite apricot aquarium
architect armchair artichoke astronaut asteroid atmosphere audience autumn avalanche backpack balcony ballerina balloon
bandage barefoot barnyard baseball basement basket bathroom bathtub battery beautiful bedroom beetle bicycle birthday
biscuit blackbird blueberry bluebird bookshelf bookstore bottle bracelet breakfast broccoli brochure buckwheat
buffalo building bulldozer butterfly cafeteria calculator calendar campfire capital caravan cardboard carpenter
cathedral cauliflower celebration centimeter ceremony champion character charcoal chemistry chimney chipmunk chocolate
cinnamon classmate classroom clearing climate clothing cloudless cobweb coconut colander collection combination comfort
community compass composer computer concert conductor container continent conversation cookbook corridor costume
cottage countryside courtyard crocodile crossroads cucumber cupboard curiosity customer cylinder daffodil dandelion
daughter daylight decoration delicious delivery department diamond dictionary dinosaur direction discovery distance
dragonfly driveway earthquake earthworm electricity elephant elevator encyclopedia engineer entrance envelope
environment equator evergreen exercise experiment explorer fairground farmhouse favorite festival fingerprint
firefighter fireplace firewood fisherman flamingo flashlight flowerpot football footprint forecast forehead fortress
fragrance friendship furniture gallery gardener generation gentleman geography giraffes gladness goldfish
gooseberry gorilla grandfather grandmother grapefruit grasshopper graveyard greenhouse greyhound gymnasium hairbrush
handkerchief handwriting happiness harmonica headlight hedgehog helicopter highway hilltop homework honeycomb
horizon hospital household hummingbird hurricane iceberg imagination information ingredient instrument interview
invention invitation island jellyfish journey kangaroo keyboard kilometer kingfisher laboratory ladybird lakeside landscape
language lavender lemonade lifeguard lighthouse lightning literature locomotive luggage lullaby machinery magazine
magician mailbox marathon marketplace marmalade mathematics mayonnaise measurement medicine meteorite microphone
microscope midnight milkshake moonlight mosquito motorcycle mountaineer mushroom musician mystery navigator
neighbor newspaper nightingale notebook nursery observatory octopus omelette orchestra ornament ostrich outside
paintbrush pancake paragraph parachute passenger passport patchwork pavement peppermint performance perfume
photograph pineapple plantation playground policeman pomegranate population porcupine possibility postcard
professor pyramid quantity question raccoon railway rainbow raincoat raspberry rectangle refrigerator
restaurant rhinoceros riverbank rosemary sailboat salamander sandpaper sandwich satellite saxophone scarecrow scientist
sculpture seashell seaside secretary shepherd shipwreck shoelace sidewalk skeleton skyscraper snowflake snowman
snowstorm soldier spaceship spaghetti sparrow spectacles splendid staircase starfish steamboat stepladder
strawberry submarine suitcase sunflower sunglasses sunlight sunrise supermarket surprise sweater swimming
tablecloth tambourine tangerine tapestry telephone telescope television temperature textbook theater thermometer
thunderstorm tomorrow toothbrush tortoise tournament traveler triangle trombone turquoise typewriter
umbrella underground universe vacation vanilla vegetable vehicle vineyard volcano volleyball wallpaper wardrobe
watercolor waterfall watermelon wheelbarrow wilderness windmill windowsill wonderful woodland woodpecker
workshop xylophone yesterday
`
  .trim()
  .split(/\s+/);

const BY_RANGE = new Map<string, readonly string[]>();

/** All words of so many letters, sorted, each once. */
export function wordsOfLength([least, most]: Range): readonly string[] {
  const key = `${least}-${most}`;
  let words = BY_RANGE.get(key);
  if (!words) {
    words = [...new Set(WORDS)].filter(({ length }) => length >= least && length <= most).sort();
    BY_RANGE.set(key, words);
  }
  return words;
}
