package monitoring

import "github.com/nbr-dev/nbr/router"

// A scrapeFile is one of scrape_config_files
// (https://prometheus.io/docs/prometheus/latest/configuration/configuration/).
type scrapeFile struct {
	Configs []scrapeConfig `yaml:"scrape_configs"`
}

type scrapeConfig struct {
	Job     string         `yaml:"job_name"`
	Targets []staticConfig `yaml:"static_configs"`
}

type staticConfig struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// jobName is a job's name in Prometheus, where a name may be there once for all files.
func jobName(host, job string) string { return host + "-" + job }

func scrape(host string, served []*router.Scraped) scrapeFile {
	var out scrapeFile
	for _, s := range served {
		out.Configs = append(out.Configs, scrapeConfig{
			Job:     jobName(host, s.Job),
			Targets: []staticConfig{{Targets: []string{s.At.String()}, Labels: map[string]string{"host": host}}},
		})
	}
	return out
}
