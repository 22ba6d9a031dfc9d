#include "api/metrics_text.h"

#include <gtest/gtest.h>

#include "api/api_testing.h"

namespace hearth {
namespace {

using enum MetricsFormat;

TEST(MetricsText, OpenMetricsIsForThoseWhoAcceptItMost) {
  EXPECT_EQ(metrics_format_of(""), prometheus);
  EXPECT_EQ(metrics_format_of("*/*"), prometheus);
  EXPECT_EQ(metrics_format_of("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), prometheus);
  EXPECT_EQ(metrics_format_of("application/openmetrics-text"), openmetrics);
  EXPECT_EQ(metrics_format_of("APPLICATION/OpenMetrics-Text ; Version=1.0.0 ; Q=1"), openmetrics);
  EXPECT_EQ(metrics_format_of("application/openmetrics-text;version=1.0.0,"
                              "application/openmetrics-text;version=0.0.1;q=0.75,"
                              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            openmetrics)
      << "as Prometheus asks";
  EXPECT_EQ(metrics_format_of("application/openmetrics-text;q=0.5, text/plain"), prometheus);
  EXPECT_EQ(metrics_format_of("application/openmetrics-text;q=0"), prometheus);
  EXPECT_EQ(metrics_format_of("application/openmetrics-text;version=0.0.1"), prometheus)
      << "a version that is not spoken here";
  EXPECT_EQ(metrics_format_of(";;,,=;q=;,"), prometheus);
}

TEST(MetricsText, LabelValuesAreEscaped) {
  MetricsText text(prometheus);
  text.family("leases", MetricKind::gauge, "Leases.");
  text.sample({{"owner", "a\\b\"c\nd"}, {"of", "\xC3\xA4"}}, 2U);
  EXPECT_EQ(text.finish(),
            "# HELP hearth_leases Leases.\n"
            "# TYPE hearth_leases gauge\n"
            "hearth_leases{owner=\"a\\\\b\\\"c\\nd\",of=\"\xC3\xA4\"} 2\n");
}

TEST(MetricsText, WhatIsNotUtf8IsReplaced) {
  const auto escaped = [](std::string_view value) {
    MetricsText text(prometheus);
    text.family("x", MetricKind::gauge, "X.");
    text.sample({{"l", value}}, 1U);
    const std::string all = text.finish();
    const std::size_t begin = all.find("l=\"") + 3;
    return all.substr(begin, all.rfind('"') - begin);
  };
  EXPECT_EQ(escaped("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(escaped("\xC3"), "\xEF\xBF\xBD") << "cut off";
  EXPECT_EQ(escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "overlong";
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
  EXPECT_EQ(escaped("\xF0\x9F\x94\xA5"), "\xF0\x9F\x94\xA5");
}

TEST(MetricsText, AHistogramIsCumulativeAndItsBoundsAreAsGoWritesThem) {
  static constexpr std::array<Duration, 4> bounds{500ns, 100us, 250ms, 10s};
  Histogram histogram{bounds};
  histogram.record(100ns);
  histogram.record(200ms);
  histogram.record(1min);
  MetricsText text(openmetrics);
  text.single("step_seconds", MetricKind::histogram, "Steps.", histogram.figures());
  EXPECT_EQ(text.finish(),
            "# HELP hearth_step_seconds Steps.\n"
            "# TYPE hearth_step_seconds histogram\n"
            "# UNIT hearth_step_seconds seconds\n"
            "hearth_step_seconds_bucket{le=\"5e-07\"} 1\n"
            "hearth_step_seconds_bucket{le=\"0.0001\"} 1\n"
            "hearth_step_seconds_bucket{le=\"0.25\"} 2\n"
            "hearth_step_seconds_bucket{le=\"10.0\"} 2\n"
            "hearth_step_seconds_bucket{le=\"+Inf\"} 3\n"
            "hearth_step_seconds_sum 60.2000001\n"
            "hearth_step_seconds_count 3\n"
            "# EOF\n");
}

TEST(MetricsText, OpenMetricsNamesTheFamilyOfACounterWithoutTotal) {
  MetricsText text(openmetrics);
  text.single("loads_total", MetricKind::counter, "Loads.", 3U);
  text.single("info", MetricKind::info, "It.", 1U);
  EXPECT_EQ(text.finish(),
            "# HELP hearth_loads Loads.\n# TYPE hearth_loads counter\nhearth_loads_total 3\n"
            "# HELP hearth It.\n# TYPE hearth info\nhearth_info 1\n# EOF\n");
}

class Metrics : public ApiTest {
 protected:
  // `count` components: c0 ready, the rest unloaded; each has been loaded twice.
  void declare(std::size_t count) {
    service_.change_status = [count](DaemonStatus& status) {
      status.components.clear();
      for (std::uint32_t i = 0; i < count; ++i) {
        ComponentRow row;
        row.name = "c" + std::to_string(i);
        row.view.id = ComponentId{i};
        row.view.state = i == 0 ? State::ready : State::unloaded;
        row.view.loads = 2;
        status.components.push_back(std::move(row));
      }
    };
  }
  static std::size_t series(const std::string& text) {
    std::size_t lines = 0;
    for (std::size_t at = 0; at != std::string::npos; at = text.find('\n', at)) {
      at += at > 0 ? 1U : 0U;
      if (at < text.size() && text[at] != '#') ++lines;
      if (at >= text.size()) break;
    }
    return lines;
  }
};

TEST_F(Metrics, ComponentsBeyondTheCapAreSummed) {
  declare(250);
  const std::string text = get("/metrics").body;
  EXPECT_NE(text.find("hearth_component_loads_total{component=\"c199\"} 2\n"), std::string::npos);
  EXPECT_EQ(text.find("component=\"c200\""), std::string::npos);
  EXPECT_NE(text.find("hearth_component_loads_total{component=\"_other\"} 100\n"),
            std::string::npos);
  EXPECT_NE(text.find("hearth_component_state{component=\"_other\",state=\"unloaded\"} 50\n"),
            std::string::npos);
  EXPECT_NE(text.find("hearth_components{state=\"unloaded\"} 249\n"), std::string::npos)
      << "all are counted";
}

TEST_F(Metrics, AsManyAsTheCapHaveSeriesOfTheirOwn) {
  declare(200);
  EXPECT_EQ(get("/metrics").body.find("_other"), std::string::npos);
}

TEST_F(Metrics, TheNumberOfSeriesIsBounded) {
  declare(200);
  const std::size_t at_cap = series(get("/metrics").body);
  declare(10'000);
  const std::size_t beyond = series(get("/metrics").body);
  EXPECT_LT(at_cap, 4'300U);
  EXPECT_LE(beyond, at_cap + 18) << "one sum for each family";
}

TEST_F(Metrics, BothFormatsCarryTheSameSamples) {
  const HttpReply plain = get("/metrics");
  const HttpReply open =
      send({.path = "/metrics", .headers = {{"Accept", "application/openmetrics-text"}}});
  EXPECT_TRUE(open.header("content-type").starts_with("application/openmetrics-text"));
  EXPECT_EQ(open.header("vary"), "Accept");
  const auto samples = [](const std::string& text) {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (text[at] != '#') kept += text.substr(at, end - at + 1);
      at = end + 1;
    }
    return kept;
  };
  EXPECT_EQ(samples(plain.body), samples(open.body));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

TEST_F(Metrics, ABudgetIsToldApartFromAPoolOfItsName) {
  service_.change_status = [](DaemonStatus& status) {
    status.budgets = {{"gpu", 8_GiB, 1_GiB, false}, {"gpu", 1_GiB, 80_MiB, true}};
    status.budgets[1].measured = 70_MiB;
  };
  const std::string text = get("/metrics").body;
  EXPECT_NE(text.find("hearth_budget_used_bytes{budget=\"gpu\",kind=\"resource\"} 1073741824\n"
                      "hearth_budget_used_bytes{budget=\"gpu\",kind=\"pool\"} 83886080\n"),
            std::string::npos);
  EXPECT_NE(text.find("hearth_budget_measured_bytes{budget=\"gpu\",kind=\"pool\"} 73400320\n"),
            std::string::npos);
  EXPECT_EQ(text.find("hearth_budget_measured_bytes{budget=\"gpu\",kind=\"resource\"}"),
            std::string::npos);
}

}  // namespace
}  // namespace hearth
