#include "figure/TrainingCurves.h"

#include "figure/FigureFile.h"
#include "figure/PlotFigure.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr std::size_t kMostPoints = 400;
constexpr double kPlotWidth = 340.0, kPlotHeight = 230.0;

/// One line; many points are averaged in groups, so that a long training stays readable.
PlotSeries line(const std::vector<TrainingPoint>& curves, bool validation, const QString& key, int number) {
    PlotSeries series;
    series.name = validation ? QStringLiteral("validation") : QStringLiteral("training");
    series.pipeline = number;
    std::vector<std::pair<double, double>> values;
    for (const TrainingPoint& point : curves) {
        const auto it = point.values.constFind(key);
        if (point.validation == validation && it != point.values.constEnd() && std::isfinite(*it))
            values.emplace_back(static_cast<double>(point.step), *it);
    }
    const std::size_t group = (values.size() + kMostPoints - 1) / kMostPoints;
    for (std::size_t i = 0; i < values.size(); i += std::max<std::size_t>(1, group)) {
        const std::size_t end = std::min(values.size(), i + group);
        PlotPoint point;
        point.y = 0.0;
        for (std::size_t k = i; k < end; ++k) {
            point.x += values[k].first / static_cast<double>(end - i);
            point.y += values[k].second / static_cast<double>(end - i);
        }
        point.low = point.high = point.x;
        series.points.push_back(point);
    }
    return series;
}

QString words(QString key) {
    return key.replace(QLatin1Char('_'), QLatin1Char(' '));
}

} // namespace

std::vector<PlotData> trainingPlots(const std::vector<TrainingPoint>& curves, const QString& headline) {
    QStringList training, validation;
    for (const TrainingPoint& point : curves) {
        QStringList& keys = point.validation ? validation : training;
        for (auto it = point.values.begin(); it != point.values.end(); ++it) {
            if (!keys.contains(it.key())) keys << it.key();
        }
    }
    QStringList keys{QStringLiteral("loss")};
    if (!headline.isEmpty() && !keys.contains(headline)) keys << headline;
    for (const QStringList& more : {validation, training}) {
        for (const QString& key : more) {
            if (!keys.contains(key)) keys << key;
        }
    }
    std::vector<PlotData> plots;
    for (const QString& key : std::as_const(keys)) {
        PlotData plot;
        plot.id = QStringLiteral("training_") + key;
        plot.metric = key;
        plot.title = key == headline ? words(key) + QStringLiteral(" (decides)") : words(key);
        plot.xLabel = QStringLiteral("step");
        plot.style = PlotData::Style::Line;
        if (training.contains(key)) plot.series.push_back(line(curves, false, key, 0));
        if (validation.contains(key)) plot.series.push_back(line(curves, true, key, 1));
        std::erase_if(plot.series, [](const PlotSeries& s) { return s.points.empty(); });
        if (!plot.series.empty()) plots.push_back(std::move(plot));
    }
    return plots;
}

void paintTrainingPlots(QPainter& painter, const QRectF& box, const std::vector<PlotData>& plots,
                        const PlotLook& look) {
    if (plots.empty()) return;
    const int count = static_cast<int>(plots.size());
    const int columns = std::clamp(static_cast<int>(box.width() / 260.0), 1, count);
    const int rows = (count + columns - 1) / columns;
    for (int i = 0; i < count; ++i) {
        const QRectF cell(box.x() + (i % columns) * box.width() / columns,
                          box.y() + (i / columns) * box.height() / rows, box.width() / columns, box.height() / rows);
        (void)paintPlot(painter, cell.adjusted(4, 4, -4, -4), plots[static_cast<std::size_t>(i)], look);
    }
}

void saveTrainingCurves(const QString& path, const std::vector<TrainingPoint>& curves, const QString& headline) {
    const std::vector<PlotData> plots = trainingPlots(curves, headline);
    const int columns = std::clamp(static_cast<int>(plots.size()), 1, 3);
    const int rows = std::max(1, (static_cast<int>(plots.size()) + columns - 1) / columns);
    const QSizeF size(columns * kPlotWidth, rows * kPlotHeight);
    const auto paint = [&](QPainter& painter) {
        painter.fillRect(QRectF(QPointF(), size), Qt::white);
        paintTrainingPlots(painter, QRectF(QPointF(), size), plots, PlotLook());
    };
    // As text the file is a tenth as large, and models travel with it.
    saveFigure(path, size.toSize(), paint, 1.0, SvgDevice::Text::AsText);
}

} // namespace blendscope
