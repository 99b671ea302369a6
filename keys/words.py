"""1,024 words to write a secret with: ten bits each.

Common, concrete and easy to spell. No two begin with the same four letters, so that four are enough to know a word by,
and no two can be taken for each other by one missing or surplus letter. The order is part of the format.
"""

from __future__ import annotations

_TEXT = """
abacus acorn acre acrobat actor adult agent alarm album almond alpine alto anchor animal ankle answer antler april
apron aqua arena artist aspen atlas attic august autumn avenue avocado award axle azure badge bagel baggage bakery
balcony bamboo banana banjo banner barley basil beard bedroom beetle belfry bell bench benefit beyond bicycle birch
biscuit bishop bison bistro black blanket blazer blend blimp blossom blue bluff bobbin bolt bonfire bonnet book border
bottle boulder bowl boxer bramble branch brass bread breeze bridge bright bronze brother bubble bucket budget buffalo
bugle builder bulb bundle bunny burrow butter cabbage cabin cactus cadet calendar camel campus canal canoe canvas
canyon cape captain caramel carbon cargo carpet cashew castle catalog catfish cedar celery cement census center
ceramic cereal chalk chamber channel chapel charm cheese cherry chicken chief chimney choir chorus chrome cinema
circle citrus city clarinet classic clay cliff climate clinic cloud clover cobalt cobweb cocoa collar color column
comedy compass concert copy coral corner cosmos cotton couch county cousin coyote crab cradle crane crater crayon
creek cricket crimson crisp crown cruise crust crystal cube cuckoo cuff cupboard curry cursor curtain cushion cycle
cymbal cypress dahlia daisy damson dance danger daring data daylight debut decade december deer degree delta denim
dentist depot derby desert detail diamond diary diesel dingo dinner disc divide docile doctor dogwood dolphin domino
door double dove dozen dragon drama drawer dream drift driver drum dryer dugout dust dwarf eagle early earring earth
easel echo eclipse editor effort elastic elbow elder elegant elephant eleven elite emblem emerald emperor empire empty
energy engine entrance envelope equal errand escort essay estate evening evergreen evident exact exhibit exit expert
explorer fabric factory fairy falcon family famous fancy farmer favor february fence fern ferry festival fiber field
fifteen fig film filter finale finch firefly fisher flannel flask flax fleet flicker flint flock florist flour fluent
flute foam focus foil folder fondue footpath forest forge fortune fossil fox fragile frame freckle fresh friday friend
fringe frog frost frozen fruit fuel fungus furnace fuse future fuzzy gadget galaxy gallery garage garden garlic garnet
gate gather gecko gem genre gentle geyser ghost giant gift giraffe glacier glad glass gleam glider glimmer glow gnome
goat goblet goggles golden gondola goose gopher gospel gown graceful grain granite grape green grid grocer groom grove
guava guide guitar gull gumdrop habit halo hamlet hammer hamster handle hangar happy harbor harmony harness harp
harvest hawk hazard hazel heart hedge helium helmet helper herald heron hexagon hibiscus hickory hidden highway hiker
hinge history holiday hollow honey honor hoop hopper horizon hornet hostel hour hover human humor hundred hunter
hurdle husky hut hymn hyphen iceberg icicle idea igloo ignite iguana image impulse index infant ingot insect inside
invent iris iron island ivy jade jaguar january jasmine jasper jaw jazz jersey jester jet jewel jigsaw jockey jogger
join joker jolly journey joyful jubilee judge juggler juice jumper jungle junior jury justice jute kale kayak keeper
kelp kernel kestrel keyboard kidney kimono kindle kitchen kite kiwi knee knight knot koala ladder lagoon lake lantern
lapel large lasso latin lattice laugh laundry laurel lava lavender lawn layer league lecture ledger legend lemon lemur
lens lentil letter level liberty library light lilac lily lime lion liquid listen lively llama loaf lobby lobster
lodge lofty logbook logic lotus lounge luggage lunar lunch lynx lyric machine magenta magic magnet mahogany mammoth
manual maple marble margin market marsh mascot mason mayor meadow melody member memory mentor mercury mesh meteor
midnight mill mimosa minister minute mirror mist mitten mobile model monday monkey month moon morning mosaic moss
mountain mouse movie mulberry muscle museum music mustard mystery napkin narrow nation nature navy nectar needle
neighbor nephew neptune nettle neutral nickel nimble noble noodle normal north notch notebook novel number nurse
nutmeg oar oasis oboe ocean october office olive opera orange orbit orchard organ ostrich otter ounce outdoor oval
oven owner oxygen oyster pacific page palace palm panda panel pantry paper parade parent parrot parsley party pasta
patch patio pattern peanut pebble pelican pencil penguin pepper perfume petal piano pickle picnic picture piece pigeon
pilgrim pilot pioneer pirate pixel pizza planet plaster plaza plenty plum plush podium poet polish pollen pony poplar
poppy portrait postcard potato pottery powder prairie present pretzel prince prize promise proud puddle puffin pulley
pulp pumpkin pupil puppet purple puzzle pyramid python quail quarry queen quest quick quilt quiver quiz rabbit raccoon
radar radio railway rainbow raisin rally ramp rapid raven reader recipe record red reef refuge region reindeer relic
remedy reptile rescue ribbon rice riddle ring ripple road robin rocket rodeo roller root rose rotor round rowboat
royal rubber ruby rudder rug ruler rumble runner russet rustic rye saddle saffron saga salad salmon salsa salute
sandal saturn saucer sauna savanna scarf scene school science scooter scroll season second secret seesaw senate senior
september serene sesame seven shade shell shepherd sheriff shore shovel shrimp shuttle signal silk silver simple
singer sister six sketch skull sky slate sled sleeve slipper slogan smile smoke snack snail snow soccer social sock
sofa solar soldier solid song soup south soybean spark spear spice spider spinach spiral sponge spoon sprout square
squid stable stadium stamp star statue steam steel step stick storm stove straw street student subway sugar suitcase
summer sunset supper surf swallow swan sweater swift swim sword symbol tadpole tailor talent tango target tavern taxi
teacher teapot temple tennis tenor tent terrace theater thirty thread throne thumb thunder thyme ticket tiger tile
timber tinsel toast today toffee tomato tongue tonic torch tornado total toucan towel tractor trade trail travel
treasure tree triangle trophy trout trumpet trunk tuba tuesday tugboat tulip tunnel turban turkey turnip turtle twelve
twenty twilight twin type umbrella uncle under unicorn uniform union unique unit useful utopia valley vanilla vapor
vase vault velvet venus verb vest victory video village vine violet visitor vitamin vivid vocal voice volcano volume
voyage waffle wagon walnut walrus warbler warm water wave wax weather weaver wedding weekend whale wheat wheel whisker
white wide wild willow window winter wisdom wish wizard wolf wombat wool world wren wrist writer yacht yak yarn yellow
yoga yogurt yonder young zebra zero zigzag zinc zipper zoom
"""

WORDS: tuple[str, ...] = tuple(_TEXT.split())
