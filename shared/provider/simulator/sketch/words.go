package sketch

import "strings"

// theme is one thing a prompt may ask for.
type theme string

const (
	themeNight  theme = "night"
	themeDusk   theme = "dusk"
	themeDawn   theme = "dawn"
	themeDay    theme = "day"
	themeStorm  theme = "storm"
	themeRain   theme = "rain"
	themeSnow   theme = "snow"
	themeAurora theme = "aurora"
	themeAutumn theme = "autumn"
	themeSpring theme = "spring"

	themeSea      theme = "sea"
	themeLake     theme = "lake"
	themeMountain theme = "mountains"
	themeForest   theme = "forest"
	themeCity     theme = "city"
	themeDesert   theme = "desert"
	themeField    theme = "meadow"
	themeSpace    theme = "space"

	themeLighthouse theme = "lighthouse"
	themeCat        theme = "cat"
	themeDog        theme = "dog"
	themeBoat       theme = "boat"
	themeHouse      theme = "house"
	themeBirds      theme = "birds"
	themeBalloon    theme = "balloon"
	themeMoon       theme = "moon"
	themeTree       theme = "tree"
	themeCastle     theme = "castle"
	themeRocket     theme = "rocket"
	themeFlowers    theme = "flowers"
)

// vocabulary lists the words of each theme. English words match whole, in the
// singular or plural; a hyphen stands for a space; Chinese words match anywhere.
func vocabulary() []struct {
	theme theme
	words string
} {
	return []struct {
		theme theme
		words string
	}{
		{themeNight, "night midnight starry moonlight stars starlit moonlit 夜 星空 深夜"},
		{themeDusk, "dusk sunset twilight evening golden-hour 黄昏 日落 傍晚 夕阳 晚霞"},
		{themeDawn, "dawn sunrise morning 黎明 日出 清晨 早晨 朝霞"},
		{themeDay, "day noon sunny bright summer 白天 中午 晴 夏"},
		{themeStorm, "storm stormy thunderstorm lightning thunder dramatic 暴风 雷 风暴"},
		{themeRain, "rain rainy drizzle monsoon 雨"},
		{themeSnow, "snow snowy snowing winter wintry ice frost arctic 雪 冬 冰"},
		{themeAurora, "aurora northern-lights 极光"},
		{themeAutumn, "autumn fall-leaves maple 秋 枫"},
		{themeSpring, "spring blossom cherry sakura 春 樱"},
		{themeSea, "sea seaside seascape coastal ocean wave beach coast shore harbour harbor island surf 海 浪 岛 沙滩"},
		{themeLake, "lake river pond fjord reflection 湖 河 江 溪 池"},
		{themeMountain, "mountain mountainous alpine peak alps hill cliff volcano valley fuji 山 峰 谷"},
		{themeForest, "forest woodland woods wood jungle pine 森林 树林 林"},
		{themeCity, "city cityscape skyline street tokyo town urban skyscraper cyberpunk neon downtown 城 街 都市 霓虹"},
		{themeDesert, "desert dune sahara canyon 沙漠 大漠"},
		{themeField, "field meadow grass prairie farm garden 草原 田 草地 花园"},
		{themeSpace, "space galaxy planet nebula cosmos astronaut mars 太空 宇宙 星球 银河 星系"},
		{themeLighthouse, "lighthouse beacon 灯塔"},
		{themeCat, "cat kitten kitty 猫"},
		{themeDog, "dog puppy fox wolf 狗 犬 狐 狼"},
		{themeBoat, "boat sailboat ship sailing sail yacht 船 舟 帆"},
		{themeHouse, "house cabin cottage hut home village 屋 房子 村 小木屋 家"},
		{themeBirds, "bird seagull gull eagle crane swallow 鸟 鹤 燕 鹰"},
		{themeBalloon, "balloon airship 热气球 气球"},
		{themeMoon, "moon moonlight 月"},
		{themeTree, "tree oak 树 橡"},
		{themeCastle, "castle tower fortress temple palace 城堡 塔楼 宫殿 寺"},
		{themeRocket, "rocket spaceship spacecraft shuttle 火箭 飞船"},
		{themeFlowers, "flower poppy tulip sunflower rose lavender 花"},
	}
}

// themes returns what the prompt asks for.
func themes(prompt string) map[theme]bool {
	text := strings.ToLower(prompt)
	tokens := map[string]bool{}
	for _, token := range strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
		tokens[token] = true
		tokens[strings.TrimSuffix(token, "s")] = true
		tokens[strings.TrimSuffix(token, "es")] = true
	}
	found := map[theme]bool{}
	for _, entry := range vocabulary() {
		for word := range strings.FieldsSeq(entry.words) {
			phrase := strings.ReplaceAll(word, "-", " ")
			if tokens[word] || (phrase != word || word[0] >= 0x80) && strings.Contains(text, phrase) {
				found[entry.theme] = true
			}
		}
	}
	return found
}
