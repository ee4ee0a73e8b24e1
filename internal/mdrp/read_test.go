package mdrp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var sound = map[string]string{
	ordersFile:      "order\tx\ty\tplacement_time\trestaurant\tready_time\no1\t300\t400\t10\tr1\t20\no2\t0\t0\t11\tr1\t30\n",
	restaurantsFile: "restaurant\tx\ty\nr1\t0\t0\n",
	couriersFile:    "courier\tx\ty\ton_time\toff_time\nc1\t0\t0\t0\t90\n",
	parametersFile:  "meters_per_minute\tpickup\tdropoff\ttarget\n250\t4\t4\t40\n",
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "day")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestADayIsRead(t *testing.T) {
	in, err := Read(folder(t, sound))
	if err != nil {
		t.Fatal(err)
	}
	o := in.Orders[0]
	if in.Name != "day" || len(in.Orders) != 2 || o.ID != "o1" || in.Couriers[0].Off != 90 {
		t.Errorf("%+v", in)
	}
	// 500 m at 250 m a minute are two minutes, and not a hair more.
	if got := in.Travel(in.Restaurants[0].At, o.At); got != 2 {
		t.Errorf("%d minutes", got)
	}
	if got := in.Floor(o); got != 10+2+2+2 {
		t.Errorf("floor %v", got)
	}
}

func TestWhatIsWrongIsNamedWithFileAndLine(t *testing.T) {
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"a broken number":         {ordersFile, "o2\t0", "o2\tfar", `orders.txt, line 3: column 2: "far" is no number`},
		"half a minute":           {ordersFile, "\t11\t", "\t11.5\t", `orders.txt, line 3: column 4: "11.5" is no whole minute`},
		"too few columns":         {couriersFile, "\t0\t90", "", "couriers.txt, line 2: 3 columns, not 5"},
		"an id twice":             {ordersFile, "o2", "o1", `orders.txt, line 3: "o1" is in orders.txt, line 2 already`},
		"an unknown restaurant":   {ordersFile, "11\tr1", "11\tr7", `orders.txt, line 3: no restaurant "r7" in restaurants.txt`},
		"ready before it is born": {ordersFile, "r1\t30", "r1\t3", "orders.txt, line 3: ready at 3, before it is placed at 11"},
		"a shift that ends first": {couriersFile, "0\t90", "0\t-90", "couriers.txt, line 2: off at -90, before it is on at 0"},
		"no speed":                {parametersFile, "250", "0", "instance_parameters.txt, line 2: 0 metres a minute"},
		"an odd service":          {parametersFile, "\t4\t4", "\t4\t3", "instance_parameters.txt, line 2: a service of 3 minutes"},
		"no couriers":             {couriersFile, "c1\t0\t0\t0\t90\n", "", "couriers.txt: no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for file, text := range sound {
				files[file] = text
			}
			files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			_, err := Read(folder(t, files))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
	t.Run("a file that is missing, beside another fault", func(t *testing.T) {
		files := map[string]string{ordersFile: sound[ordersFile], couriersFile: "courier\nc1\n", parametersFile: sound[parametersFile]}
		_, err := Read(folder(t, files))
		if err == nil || !strings.Contains(err.Error(), restaurantsFile) || !strings.Contains(err.Error(), "couriers.txt, line 2") || strings.Contains(err.Error(), `"r1"`) {
			t.Errorf("%v", err)
		}
	})
}
