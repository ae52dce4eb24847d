#pragma once

#include "judge/Judgement.h"

#include <QWidget>
#include <vector>

namespace blendscope {

/// What became of the blends and of the true objects of a scene, two bars a result: shares of the outcomes in their
/// colours, with letters and counts. A click on a bar shows that result, on a part of it that outcome's blends.
class RatesChart final : public QWidget {
    Q_OBJECT

public:
    struct Row {
        QString name;
        QMap<Outcome, int> counts;  ///< of blends
        QMap<Outcome, int> objects; ///< of true objects
        QString note;               ///< instead of a bar: "judging..."
        bool current = false;
        bool suspected = false; ///< no truth stands behind it: hollow, and no true objects
    };

    explicit RatesChart(QWidget* parent = nullptr);
    void setRows(std::vector<Row> rows);
    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }
    /// Where an outcome's part of a bar is; empty if there is none (for tests).
    [[nodiscard]] QRect partRect(int row, Outcome outcome) const;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {160, sizeHint().height()}; }

Q_SIGNALS:
    void rowClicked(int row);
    void outcomeClicked(int row, blendscope::Outcome outcome);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Part {
        int row = 0;
        Outcome outcome = Outcome::Unknown;
        QRectF rect;
        int count = 0;
        double share = 0.0;
        bool objects = false; ///< of the lower bar
    };
    [[nodiscard]] std::vector<Part> parts() const;
    [[nodiscard]] int rowHeight() const;
    [[nodiscard]] int barHeight() const;
    [[nodiscard]] QRectF bar(int row, bool objects) const;

    std::vector<Row> m_rows;
};

} // namespace blendscope
