#include "figure/ReportPage.h"

#include "figure/PlotFigure.h"

#include <QBuffer>
#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kSure = 2.0; // standard errors from which a difference is marked
const QSize kPlotSize(430, 290);

QString escaped(const QString& text) {
    return text.toHtmlEscaped();
}

QString numberText(double v, int digits) {
    QString text = QString::number(v, 'f', digits);
    if (text.toDouble() == 0.0) text.remove(QLatin1Char('-'));
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

int digitsFor(double value, double error) {
    const double scale = std::isfinite(error) && error > 0.0 ? error : 0.05 * std::abs(value);
    if (!(scale > 0.0)) return 3;
    return std::clamp(static_cast<int>(std::ceil(-std::log10(scale))) + 1, 0, 6);
}

/// Whether b is better than a by more than the errors, worse, or neither: +1, -1, 0.
int verdictOf(MetricValue::Better better, double a, double b, double error) {
    if (!std::isfinite(a) || !std::isfinite(b) || !(error > 0.0) || std::abs(b - a) < kSure * error) return 0;
    switch (better) {
    case MetricValue::Better::Higher:
        return b > a ? 1 : -1;
    case MetricValue::Better::Lower:
        return b < a ? 1 : -1;
    case MetricValue::Better::NearZero:
        return std::abs(b) < std::abs(a) ? 1 : -1;
    case MetricValue::Better::NearOne:
        return std::abs(b - 1.0) < std::abs(a - 1.0) ? 1 : -1;
    case MetricValue::Better::Neither:
        break;
    }
    return 0;
}

const PairedDifference* differenceOf(const MetricsReport& report, const QString& metric, int b) {
    const auto it = std::find_if(report.differences.begin(), report.differences.end(),
                                 [&](const PairedDifference& d) { return d.metric == metric && d.b == b && d.a == 0; });
    return it == report.differences.end() ? nullptr : &*it;
}

QString swatch(int pipeline) {
    return QStringLiteral("<span class=\"swatch\" style=\"background:%1\"></span>")
        .arg(pipelineColour(pipeline).name());
}

/// The stages of a pipeline with what was set, in one line.
QString definitionText(const QJsonObject& definition) {
    if (definition.contains(QStringLiteral("results")))
        return QStringLiteral("results read from %1").arg(definition.value(QStringLiteral("results")).toString());
    QStringList stages;
    for (const QJsonValue v : definition.value(QStringLiteral("stages")).toArray()) {
        const QJsonObject stage = v.toObject();
        const QJsonObject parameters = stage.value(QStringLiteral("parameters")).toObject();
        QStringList settings;
        for (auto it = parameters.begin(); it != parameters.end(); ++it) {
            settings << it.key() + QStringLiteral(" = ") + it.value().toVariant().toString();
        }
        stages << stage.value(QStringLiteral("method")).toString() +
                      (settings.isEmpty() ? QString()
                                          : QStringLiteral(" (%1)").arg(settings.join(QStringLiteral(", "))));
    }
    const int rounds = definition.value(QStringLiteral("residual_iterations")).toInt();
    if (rounds > 0) stages << QStringLiteral("%1 round%2 on the residual").arg(rounds).arg(rounds > 1 ? "s" : "");
    return stages.join(QStringLiteral(", then "));
}

QString tableOf(const MetricsReport& report, const QStringList& ids) {
    QString html = QStringLiteral("<div class=\"scroll\"><table><thead><tr><th>metric</th>");
    for (size_t k = 0; k < report.pipelines.size(); ++k) {
        html += QStringLiteral("<th class=\"num\">%1%2</th>")
                    .arg(swatch(static_cast<int>(k)), escaped(report.pipelines[k].name));
        if (k > 0) html += QStringLiteral("<th class=\"num\">difference</th>");
    }
    html += QStringLiteral("<th class=\"num\">N</th></tr></thead><tbody>\n");
    for (const QString& id : ids) {
        const MetricValue* any = nullptr;
        for (const PipelineReport& p : report.pipelines) {
            if (!any) any = p.metric(id);
        }
        if (!any) continue;
        html += QStringLiteral("<tr><td>%1</td>").arg(escaped(any->title));
        for (size_t k = 0; k < report.pipelines.size(); ++k) {
            const MetricValue* m = report.pipelines[k].metric(id);
            html += QStringLiteral("<td class=\"num\">%1</td>")
                        .arg(m ? escaped(valueText(m->value, m->error)) : QStringLiteral("&ndash;"));
            if (k == 0) continue;
            const PairedDifference* d = differenceOf(report, id, static_cast<int>(k));
            if (!d || !m || !std::isfinite(d->difference)) {
                html += QStringLiteral("<td class=\"num\">&ndash;</td>");
                continue;
            }
            const int verdict = verdictOf(m->better, d->first, d->second, d->error);
            const QString sign = d->difference > 0.0 ? QStringLiteral("+") : QString();
            html += QStringLiteral("<td class=\"num %1\">%2%3%4</td>")
                        .arg(verdict > 0   ? QStringLiteral("better")
                             : verdict < 0 ? QStringLiteral("worse")
                                           : QString(),
                             verdict > 0   ? QStringLiteral("&#9650; ")
                             : verdict < 0 ? QStringLiteral("&#9660; ")
                                           : QString(),
                             sign, escaped(valueText(d->difference, d->error)));
        }
        html += QStringLiteral("<td class=\"num\">%1</td></tr>\n").arg(any->count);
    }
    return html + QStringLiteral("</tbody></table></div>\n");
}

QString verdictBadge(ReadinessItem::Verdict v) {
    switch (v) {
    case ReadinessItem::Verdict::Good:
        return QStringLiteral("<span class=\"badge good\">&#10003; good</span>");
    case ReadinessItem::Verdict::Fair:
        return QStringLiteral("<span class=\"badge fair\">&#9679; fair</span>");
    case ReadinessItem::Verdict::Poor:
        return QStringLiteral("<span class=\"badge poor\">&#10007; poor</span>");
    case ReadinessItem::Verdict::Unknown:
        break;
    }
    return QStringLiteral("<span class=\"badge\">? not measured</span>");
}

QString readinessOf(const MetricsReport& report) {
    QStringList demands;
    for (const PipelineReport& p : report.pipelines) {
        for (const ReadinessItem& item : p.readiness) {
            if (!demands.contains(item.demand)) demands << item.demand;
        }
    }
    if (demands.isEmpty()) return {};
    QString html = QStringLiteral(
        "<h2>Pipeline readiness</h2>\n<p>What surveys demand of a deblender that runs unattended. Verdicts follow the "
        "limits in the manual; the figures are what was measured here.</p>\n<div class=\"scroll\"><table "
        "class=\"card\"><thead><tr><th>demand</th>");
    for (size_t k = 0; k < report.pipelines.size(); ++k) {
        html += QStringLiteral("<th>%1%2</th>").arg(swatch(static_cast<int>(k)), escaped(report.pipelines[k].name));
    }
    html += QStringLiteral("</tr></thead><tbody>\n");
    for (const QString& demand : demands) {
        QString title;
        QString cells;
        for (const PipelineReport& p : report.pipelines) {
            const auto it = std::find_if(p.readiness.begin(), p.readiness.end(),
                                         [&](const ReadinessItem& item) { return item.demand == demand; });
            if (it == p.readiness.end()) {
                cells += QStringLiteral("<td>%1</td>").arg(verdictBadge(ReadinessItem::Verdict::Unknown));
                continue;
            }
            title = it->title;
            cells += QStringLiteral("<td>%1<p>%2</p>").arg(verdictBadge(it->verdict), escaped(it->finding));
            if (!it->details.isEmpty()) {
                cells += QStringLiteral("<details><summary>details</summary><ul>");
                for (const QString& line : it->details) {
                    cells += QStringLiteral("<li>%1</li>").arg(escaped(line));
                }
                cells += QStringLiteral("</ul></details>");
            }
            cells += QStringLiteral("</td>");
        }
        html += QStringLiteral("<tr><td><b>%1</b></td>%2</tr>\n").arg(escaped(title), cells);
    }
    return html + QStringLiteral("</tbody></table></div>\n");
}

QString figureOf(const PlotData& plot) {
    return QStringLiteral("<figure>%1<figcaption>%2</figcaption></figure>\n")
        .arg(QString::fromUtf8(plotSvg(plot, kPlotSize)), escaped(plot.help));
}

/// Plots by what they are binned by: one fold each, those that tell most of blends open.
QString curvesOf(const MetricsReport& report) {
    struct Fold {
        const char* axis;
        const char* title;
        bool open;
    };
    static constexpr Fold folds[] = {{"neighbour", "By distance to the nearest neighbour", true},
                                     {"magnitude", "By magnitude", true},
                                     {"blendedness", "By blendedness", true},
                                     {"difference", "By magnitude difference to the neighbour", false},
                                     {"snr", "By S/N", false},
                                     {"size", "By size", false},
                                     {"seeing", "By seeing", false},
                                     {"depth", "By depth", false}};
    QString html, rest;
    QStringList shown;
    for (const Fold& fold : folds) {
        QString figures;
        for (const PlotData& plot : report.plots) {
            if (!plot.id.endsWith(QStringLiteral("_by_") + QLatin1String(fold.axis))) continue;
            figures += figureOf(plot);
            shown << plot.id;
        }
        if (figures.isEmpty()) continue;
        html += QStringLiteral("<details%1><summary>%2</summary><div class=\"plots\">\n%3</div></details>\n")
                    .arg(fold.open ? QStringLiteral(" open") : QString(), QLatin1String(fold.title), figures);
    }
    for (const PlotData& plot : report.plots) {
        if (!shown.contains(plot.id)) rest += figureOf(plot);
    }
    QString out;
    if (!rest.isEmpty()) {
        out +=
            QStringLiteral("<h2>Outcomes, precision and calibration</h2>\n<div class=\"plots\">\n%1</div>\n").arg(rest);
    }
    if (!html.isEmpty()) {
        out += QStringLiteral("<h2>Curves</h2>\n<p>Points stand at the mean of their bin; bars are bootstrap standard "
                              "errors; small marks are bins of fewer than ten objects.</p>\n") +
               html;
    }
    return out;
}

QString galleryOf(const MetricsReport& report, const std::vector<FailurePicture>& failures) {
    if (failures.empty()) return {};
    QString html = QStringLiteral("<h2>Worst failures</h2>\n<p>Colour shading and dots are the truth, dashed outlines "
                                  "what was detected and measured. Ranked by what was missed or mismeasured, bright "
                                  "objects first; one a scene.</p>\n");
    for (size_t k = 0; k < report.pipelines.size(); ++k) {
        QString pictures;
        for (const FailurePicture& f : failures) {
            if (f.pipeline != static_cast<int>(k)) continue;
            QByteArray png;
            QBuffer buffer(&png);
            buffer.open(QIODevice::WriteOnly);
            f.image.save(&buffer, "PNG");
            pictures += QStringLiteral("<figure class=\"thumb\"><img alt=\"%1\" src=\"data:image/png;base64,%2\" "
                                       "width=\"%3\" height=\"%4\"><figcaption><b>%1</b><br>%5</figcaption></figure>\n")
                            .arg(escaped(f.title), QString::fromLatin1(png.toBase64()))
                            .arg(f.image.width())
                            .arg(f.image.height())
                            .arg(escaped(f.caption));
        }
        if (pictures.isEmpty()) continue;
        html += QStringLiteral("<h3>%1%2</h3>\n<div class=\"gallery\">\n%3</div>\n")
                    .arg(swatch(static_cast<int>(k)), escaped(report.pipelines[k].name), pictures);
    }
    return html;
}

const char* const kStyle = R"(
:root { color-scheme: light dark; --ground: #fbfbfa; --panel: #ffffff; --ink: #1a1c20; --soft: #5d646e; --line: #d9dce0;
  --good: #00734f; --poor: #b34700; --fair: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --panel: #1c1f25; --ink: #e8eaed; --soft: #a2a9b3;
  --line: #363b44; --good: #4fd0a4; --poor: #ff9a5c; --fair: #f0c24a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1400px; padding: 24px; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 36px 0 8px; } h3 { font-size: 16px; margin: 20px 0 8px; }
p, .soft { color: var(--soft); margin: 4px 0 10px; } code { font-size: 13px; }
table { border-collapse: collapse; font-size: 14px; background: var(--panel); }
th, td { border-bottom: 1px solid var(--line); padding: 5px 10px; text-align: left; vertical-align: top; }
th { white-space: nowrap; } .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.better { color: var(--good); } .worse { color: var(--poor); } .scroll { overflow-x: auto; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.plots { display: flex; flex-wrap: wrap; gap: 12px; } figure { margin: 0; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: 6px; max-width: 446px; }
figcaption { color: var(--soft); font-size: 13px; padding: 2px 6px; } svg { display: block; max-width: 100%; height: auto; }
.gallery { display: flex; flex-wrap: wrap; gap: 12px; } .thumb img { display: block; max-width: 100%; height: auto;
  image-rendering: auto; border-radius: 3px; } .thumb { max-width: 300px; }
summary { cursor: pointer; font-weight: 600; padding: 6px 0; } .card td { min-width: 220px; max-width: 420px; }
.badge { border: 1px solid currentColor; border-radius: 10px; padding: 0 8px; font-size: 13px; color: var(--soft); }
.badge.good { color: var(--good); } .badge.fair { color: var(--fair); } .badge.poor { color: var(--poor); }
ul { margin: 4px 0; padding-left: 18px; font-size: 13px; color: var(--soft); }
)";

} // namespace

QString valueText(double value, double error) {
    if (!std::isfinite(value)) return QStringLiteral("–");
    const int digits = digitsFor(value, error);
    if (!std::isfinite(error)) return numberText(value, digits);
    return QStringLiteral("%1 ± %2").arg(numberText(value, digits), numberText(error, digits));
}

QStringList leadingMetrics(const MetricsReport& report) {
    const QString b = report.band;
    QString colour;
    for (const PipelineReport& p : report.pipelines) {
        for (const MetricValue& m : p.metrics) {
            if (colour.isEmpty() && m.id.startsWith(QLatin1String("colour_scatter:blended:"))) colour = m.id;
        }
    }
    return {QStringLiteral("completeness"),
            QStringLiteral("purity"),
            QStringLiteral("f1"),
            QStringLiteral("whole_blends:2+"),
            QStringLiteral("outcome:recognized"),
            QStringLiteral("outcome:unrecognized"),
            QStringLiteral("outcome:shredded"),
            QStringLiteral("detections:spurious"),
            QStringLiteral("match:found"),
            QStringLiteral("match:shredded"),
            QStringLiteral("match:spurious_per_scene"),
            QStringLiteral("within20:all:") + b,
            QStringLiteral("within20:blended:") + b,
            QStringLiteral("within20:heavy:") + b,
            QStringLiteral("flux_bias:isolated:") + b,
            QStringLiteral("flux_bias:blended:") + b,
            QStringLiteral("flux_scatter:blended:") + b,
            colour,
            QStringLiteral("size_bias:all"),
            QStringLiteral("size_scatter:all"),
            QStringLiteral("e1_scatter:blended"),
            QStringLiteral("pull_scatter:isolated:") + b,
            QStringLiteral("pull_scatter:blended:") + b,
            QStringLiteral("worse_than_undeblended:blended:") + b,
            QStringLiteral("mask_iou:all"),
            QStringLiteral("mask_iou:blended"),
            QStringLiteral("ap_mask"),
            QStringLiteral("ap_box"),
            QStringLiteral("image_correlation:blended:") + b,
            QStringLiteral("image_psnr:blended:") + b,
            QStringLiteral("image_ssim41:blended:") + b,
            QStringLiteral("ece:star"),
            QStringLiteral("ece:count"),
            QStringLiteral("chi2"),
            QStringLiteral("seconds_per_object")};
}

QByteArray reportPage(const MetricsReport& report, const std::vector<FailurePicture>& failures) {
    QString html = QStringLiteral("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                  "<title>%1</title><style>%2</style></head><body>\n<h1>%1</h1>\n")
                       .arg(escaped(report.title), QLatin1String(kStyle));
    html +=
        QStringLiteral("<p>%1 scenes, reference band %2. Errors are bootstrap standard errors over %3; "
                       "differences are against the first pipeline: of shares as they stand, of what is measured of "
                       "objects that were found (flux, colour, size, image, mask) on those that both found; "
                       "&#9650; better and "
                       "&#9660; worse by more than two standard errors.</p>\n<ul>\n")
            .arg(report.scenes.size())
            .arg(escaped(report.band), escaped(report.resampled));
    for (size_t k = 0; k < report.pipelines.size(); ++k) {
        const PipelineReport& p = report.pipelines[k];
        html += QStringLiteral("<li>%1<b>%2</b>: %3%4</li>\n")
                    .arg(swatch(static_cast<int>(k)), escaped(p.name), escaped(definitionText(p.definition)),
                         p.failures > 0 ? QStringLiteral("; failed on %1 scenes").arg(p.failures) : QString());
    }
    html += QStringLiteral("</ul>\n");
    for (const QString& note : report.notes) {
        html += QStringLiteral("<p>%1</p>\n").arg(escaped(note));
    }
    if (!report.pipelines.empty()) {
        html += QStringLiteral("<h2>Head to head</h2>\n") + tableOf(report, leadingMetrics(report));
        html += readinessOf(report);
        html += galleryOf(report, failures);
        html += curvesOf(report);
        QStringList all;
        for (const PipelineReport& p : report.pipelines) {
            for (const MetricValue& m : p.metrics) {
                if (!all.contains(m.id)) all << m.id;
            }
        }
        html += QStringLiteral("<h2>All numbers</h2>\n<details><summary>%1 metrics</summary>\n%2</details>\n")
                    .arg(all.size())
                    .arg(tableOf(report, all));
    }
    html +=
        QStringLiteral("<p class=\"soft\">Made by Blendscope. Every metric is defined in the manual, metrics.md.</p>\n"
                       "</body></html>\n");
    return html.toUtf8();
}

} // namespace blendscope
