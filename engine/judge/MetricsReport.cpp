#include "judge/MetricsReport.h"

#include "io/Table.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

QJsonValue numberOrNull(double v) {
    return std::isfinite(v) ? QJsonValue(v) : QJsonValue();
}

const char* verdictName(ReadinessItem::Verdict v) {
    switch (v) {
    case ReadinessItem::Verdict::Good:
        return "good";
    case ReadinessItem::Verdict::Fair:
        return "fair";
    case ReadinessItem::Verdict::Poor:
        return "poor";
    case ReadinessItem::Verdict::Unknown:
        break;
    }
    return "unknown";
}

QJsonObject toJson(const PlotData& plot) {
    QJsonArray series;
    for (const PlotSeries& s : plot.series) {
        QJsonArray points;
        for (const PlotPoint& p : s.points) {
            points.append(QJsonObject{{QStringLiteral("x"), numberOrNull(p.x)},
                                      {QStringLiteral("low"), numberOrNull(p.low)},
                                      {QStringLiteral("high"), numberOrNull(p.high)},
                                      {QStringLiteral("y"), numberOrNull(p.y)},
                                      {QStringLiteral("error"), numberOrNull(p.error)},
                                      {QStringLiteral("n"), p.count}});
        }
        series.append(QJsonObject{{QStringLiteral("pipeline"), s.name}, {QStringLiteral("points"), points}});
    }
    return {{QStringLiteral("id"), plot.id},       {QStringLiteral("metric"), plot.metric},
            {QStringLiteral("title"), plot.title}, {QStringLiteral("x"), plot.xLabel},
            {QStringLiteral("y"), plot.yLabel},    {QStringLiteral("series"), series}};
}

QJsonObject toJson(const PipelineReport& p) {
    QJsonObject metrics;
    for (const MetricValue& m : p.metrics) {
        metrics.insert(m.id, QJsonObject{{QStringLiteral("value"), numberOrNull(m.value)},
                                         {QStringLiteral("error"), numberOrNull(m.error)},
                                         {QStringLiteral("n"), m.count}});
    }
    QJsonArray readiness;
    for (const ReadinessItem& item : p.readiness) {
        readiness.append(QJsonObject{{QStringLiteral("demand"), item.demand},
                                     {QStringLiteral("verdict"), QLatin1String(verdictName(item.verdict))},
                                     {QStringLiteral("finding"), item.finding},
                                     {QStringLiteral("details"), QJsonArray::fromStringList(item.details)},
                                     {QStringLiteral("values"), item.values}});
    }
    return {{QStringLiteral("name"), p.name},       {QStringLiteral("definition"), p.definition},
            {QStringLiteral("metrics"), metrics},   {QStringLiteral("readiness"), readiness},
            {QStringLiteral("seconds"), p.seconds}, {QStringLiteral("failed"), p.failures}};
}

} // namespace

bool PlotData::empty() const {
    return std::all_of(series.begin(), series.end(), [](const PlotSeries& s) {
        return std::none_of(s.points.begin(), s.points.end(), [](const PlotPoint& p) { return std::isfinite(p.y); });
    });
}

const MetricValue* PipelineReport::metric(const QString& id) const {
    const auto it = std::find_if(metrics.begin(), metrics.end(), [&](const MetricValue& m) { return m.id == id; });
    return it == metrics.end() ? nullptr : &*it;
}

const PlotData* MetricsReport::plot(const QString& id) const {
    const auto it = std::find_if(plots.begin(), plots.end(), [&](const PlotData& p) { return p.id == id; });
    return it == plots.end() ? nullptr : &*it;
}

QJsonObject toJson(const MetricsReport& report) {
    QJsonArray pipelines, plots, differences;
    for (const PipelineReport& p : report.pipelines) {
        pipelines.append(toJson(p));
    }
    for (const PlotData& p : report.plots) {
        plots.append(toJson(p));
    }
    for (const PairedDifference& d : report.differences) {
        differences.append(
            QJsonObject{{QStringLiteral("metric"), d.metric},
                        {QStringLiteral("a"), report.pipelines[static_cast<size_t>(d.a)].name},
                        {QStringLiteral("b"), report.pipelines[static_cast<size_t>(d.b)].name},
                        {QStringLiteral("difference"), numberOrNull(d.difference)},
                        {QStringLiteral("error"), numberOrNull(d.error)},
                        {QStringLiteral("values"), QJsonArray{numberOrNull(d.first), numberOrNull(d.second)}},
                        {QStringLiteral("found_by_both"), d.common},
                        {QStringLiteral("n"), static_cast<double>(d.count)}});
    }
    return {{QStringLiteral("title"), report.title},
            {QStringLiteral("scenes"), static_cast<int>(report.scenes.size())},
            {QStringLiteral("band"), report.band},
            {QStringLiteral("resampled"), report.resampled},
            {QStringLiteral("pipelines"), pipelines},
            {QStringLiteral("plots"), plots},
            {QStringLiteral("differences"), differences},
            {QStringLiteral("notes"), QJsonArray::fromStringList(report.notes)}};
}

QStringList metricsCsv(const MetricsReport& report) {
    QStringList pipeline, metric, title;
    TableColumn::Doubles value, error, count;
    for (const PipelineReport& p : report.pipelines) {
        for (const MetricValue& m : p.metrics) {
            pipeline << p.name;
            metric << m.id;
            title << m.title;
            value.push_back(m.value);
            error.push_back(m.error);
            count.push_back(static_cast<double>(m.count));
        }
    }
    Table table;
    table.columns = {{QStringLiteral("pipeline"), {}, pipeline, -1},
                     {QStringLiteral("metric"), {}, metric, -1},
                     {QStringLiteral("value"), {}, value, -1},
                     {QStringLiteral("error"), {}, error, -1},
                     {QStringLiteral("n"), {}, count, 0},
                     {QStringLiteral("title"), {}, title, -1}};
    return csvLines(table);
}

QStringList plotsCsv(const MetricsReport& report) {
    QStringList plot, pipeline;
    TableColumn::Doubles low, high, x, y, error, count;
    for (const PlotData& p : report.plots) {
        for (const PlotSeries& s : p.series) {
            for (const PlotPoint& point : s.points) {
                plot << p.id;
                pipeline << s.name;
                low.push_back(point.low);
                high.push_back(point.high);
                x.push_back(point.x);
                y.push_back(point.y);
                error.push_back(point.error);
                count.push_back(point.count);
            }
        }
    }
    Table table;
    table.columns = {{QStringLiteral("plot"), {}, plot, -1},   {QStringLiteral("pipeline"), {}, pipeline, -1},
                     {QStringLiteral("low"), {}, low, -1},     {QStringLiteral("high"), {}, high, -1},
                     {QStringLiteral("x"), {}, x, -1},         {QStringLiteral("y"), {}, y, -1},
                     {QStringLiteral("error"), {}, error, -1}, {QStringLiteral("n"), {}, count, 0}};
    return csvLines(table);
}

} // namespace blendscope
