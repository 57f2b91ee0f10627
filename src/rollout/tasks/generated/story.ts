/** A story written for this project, as words without punctuation. */
export const STORY: readonly string[] = `
Every spring the people of Windle Bay pulled their boats down the beach and painted them again in the old colors of the
town Nobody knew who had chosen green and yellow but the harbor looked wrong without them Marta who was eleven that year
had been given the smallest boat of all It leaked in three places and its sail had once been a kitchen curtain with
cherries on it She loved it more than anything she had ever owned
On the first warm evening she rowed past the stone pier to look for the bell of Saint Orrin which had fallen into the sea
two hundred winters ago when the tower burned The fishermen said that it still rang before a storm and that whoever heard
it should turn around at once Marta did not quite believe them All the same she kept one ear to the water as she rowed
Gulls quarrelled above the rocks A seal lifted its round wet head and watched her with great interest then sank without a
sound The sun went down behind the lighthouse and laid a long red road across the waves Marta shipped her oars and let the
little boat drift Somewhere below her something hummed
It was not a bell at first It was more like the sound a glass makes when a finger runs around its rim Then it grew deeper
and she felt it in the planks beneath her bare feet She looked up The sky in the west was clear but far out over the open
sea a thin black line had begun to rise Marta grabbed the oars
Halfway home the wind caught her It tore the cherry curtain from the mast and threw cold water into the boat faster than
she could bail it with her tin cup She sang as loudly as she could all the verses of a very silly song about a goose who
wanted to become a judge and she pulled and pulled At the end of the pier her grandfather was waving a lantern in slow
circles as he had done for every late sailor in the last fifty years
When she climbed the wet steps he wrapped her in his coat and asked only one question Did you hear it Marta nodded because
her teeth were chattering too hard for words The old man smiled and for a while they stood together in the rain and
listened to the dark water knocking against the stones
Before breakfast the next day nine boats were missing paint and two were missing masts yet not a single sailor was lost
All of them had turned back in time Some had seen the birds fly inland others had noticed how their knees ached and young
Peter Quill admitted that he had simply been hungry Marta said nothing about the bell She mended her sail with a square
of blue cloth plugged the three leaks with tar and wool and wrote in a small brown notebook the date the hour and the
exact pitch of the note which was somewhere between the doorbell of the baker and the lowest string of her cousin's cello
`
  .replaceAll("'", "")
  .trim()
  .split(/\s+/);
