#pragma once

#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <limits>
#include <vector>

namespace blendscope {

/// The numbers and plots of an evaluation, as data: the window draws them live, `blend evaluate` writes them as HTML,
/// CSV and JSON. Everything that a number is made of is named by row, so that a click on a bin can list its blends.

/// A true object as one pipeline recovered it.
struct ScoredObject {
    int scene = 0;    ///< row of MetricsReport::scenes
    int truthId = 0;  ///< TruthObject::id
    int objectId = 0; ///< of the pipeline's result; 0 = not found
    int blend = -1;   ///< running number of the true blend in its scene
    double x = 0.0, y = 0.0;
};

/// A point with its error, or a bin.
struct PlotPoint {
    double x = 0.0;                                          ///< where the point is drawn
    double low = 0.0, high = 0.0;                            ///< edges of the bin; both x for a bare point
    double y = std::numeric_limits<double>::quiet_NaN();     ///< NaN = nothing to draw
    double error = std::numeric_limits<double>::quiet_NaN(); ///< bootstrap standard error; NaN = none
    int count = 0;                                           ///< objects (or blends) in the bin
    std::vector<int> members;                                ///< rows of PipelineReport::objects; may be empty
};

struct PlotSeries {
    QString name;
    int pipeline = 0; ///< row of MetricsReport::pipelines: gives the colour and the dash
    std::vector<PlotPoint> points;
};

struct PlotData {
    enum class Style { Points, Line, Bars };
    QString id;     ///< "completeness_by_magnitude"
    QString metric; ///< "completeness": plots of one metric belong together
    QString title, xLabel, yLabel;
    QString help; ///< one sentence: what it shows
    Style style = Style::Points;
    bool logX = false;
    QStringList categories;                                 ///< names of x = 0, 1, 2 ...; empty = a continuous axis
    double yLow = std::numeric_limits<double>::quiet_NaN(); ///< ends of the axis; NaN = from the data
    double yHigh = std::numeric_limits<double>::quiet_NaN();
    double level = std::numeric_limits<double>::quiet_NaN(); ///< a horizontal line of reference (no bias)
    bool diagonal = false;                                   ///< the line y = x is the reference (reliability)
    std::vector<PlotSeries> series;                          ///< one a pipeline that has values

    [[nodiscard]] bool empty() const;
};

/// One number with its bootstrap error.
struct MetricValue {
    enum class Better { Higher, Lower, NearZero, NearOne, Neither };
    QString id;    ///< "completeness", "within20:blended:i"
    QString title; ///< for a table
    Better better = Better::Neither;
    double value = std::numeric_limits<double>::quiet_NaN();
    double error = std::numeric_limits<double>::quiet_NaN();
    long long count = 0;            ///< objects, blends or pixels behind it
    std::vector<double> replicates; ///< the metric in each bootstrap resample, the same resamples for every pipeline
};

/// A demand of survey pipelines, and what was measured of it.
struct ReadinessItem {
    enum class Verdict { Good, Fair, Poor, Unknown };
    QString demand; ///< "robustness"
    QString title;
    Verdict verdict = Verdict::Unknown;
    QString finding;     ///< a sentence with the figures
    QStringList details; ///< a line each: what failed, and how
    QJsonObject values;
};

struct PipelineReport {
    QString name;
    QJsonObject definition; ///< Pipeline::toJson; empty for results of another program
    std::vector<MetricValue> metrics;
    std::vector<ScoredObject> objects;
    std::vector<ReadinessItem> readiness;
    double seconds = 0.0;
    int failures = 0; ///< scenes on which it failed; they count as scenes without detections

    [[nodiscard]] const MetricValue* metric(const QString& id) const;
};

/// The metric in pipeline `b` minus that in `a`; the error comes from resampling both alike. Shares of all true
/// objects, detections or blends are compared as they stand; what is measured of objects that were found (fluxes,
/// colours, sizes, images, masks) on those that both found, so that `difference` need not be that of the two values in
/// the table.
struct PairedDifference {
    QString metric;
    int a = 0, b = 0;
    double difference = std::numeric_limits<double>::quiet_NaN();
    double error = std::numeric_limits<double>::quiet_NaN();
    double first = std::numeric_limits<double>::quiet_NaN(), second = first; ///< the two values that were compared
    bool common = false;                                                     ///< on the objects that both found
    long long count = 0;                                                     ///< behind the second
};

struct MetricsReport {
    QString title;
    QStringList scenes; ///< ids
    QString band;       ///< of reference
    QString resampled;  ///< what the bootstrap draws: "500 scenes"
    std::vector<PipelineReport> pipelines;
    std::vector<PlotData> plots;
    std::vector<PairedDifference> differences; ///< of every later pipeline against the first
    QStringList notes;                         ///< sentences: what was left out or assumed

    [[nodiscard]] const PlotData* plot(const QString& id) const;
};

/// {"pipelines": [{"name", "metrics": {id: {"value", "error", "n"}}, "readiness"}], "plots", "differences", ...}
[[nodiscard]] QJsonObject toJson(const MetricsReport& report);
/// pipeline, metric, value, error, n: a row a number.
[[nodiscard]] QStringList metricsCsv(const MetricsReport& report);
/// plot, pipeline, low, high, x, y, error, n: a row a point.
[[nodiscard]] QStringList plotsCsv(const MetricsReport& report);

} // namespace blendscope
