#pragma once

#include "image/Display.h"
#include "judge/JudgeController.h"
#include "judge/OutcomeModel.h"

#include <QMap>
#include <QWidget>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QListView;
class QToolButton;

namespace blendscope {

class ThumbnailMaker;

/// The judged blends as a filmstrip: thumbnails grouped by outcome, with counts that filter, and an order within the
/// groups. Drag it taller and it is a gallery.
class OutcomePanel final : public QWidget {
    Q_OBJECT

public:
    OutcomePanel(Document* document, JudgeController* judge, QWidget* parent = nullptr);

    [[nodiscard]] OutcomeModel* model() const { return m_model; }
    [[nodiscard]] QListView* view() const { return m_view; }
    [[nodiscard]] QToolButton* chip(Outcome outcome) const { return m_chips.value(outcome); } ///< null = none
    [[nodiscard]] QComboBox* sortBox() const { return m_sort; }
    /// Selects the next (previous: negative) blend in the order shown.
    void step(int steps);
    /// Only these blends (a bin of a plot), with words that say which; an empty set shows all again.
    void showOnly(const QSet<int>& blends, const QString& why);
    void setRgb(const RgbSettings& rgb);
    void refreshTheme();
    [[nodiscard]] bool settled() const;

Q_SIGNALS:
    void activated(); ///< a blend was clicked: bring it into the picture

private:
    void refresh();
    void refreshChips();
    void showSelection();

    Document* m_document;
    JudgeController* m_judge;
    ThumbnailMaker* m_thumbnails;
    OutcomeModel* m_model;
    QListView* m_view;
    QHBoxLayout* m_bar;
    QToolButton* m_all;
    QMap<Outcome, QToolButton*> m_chips;
    QComboBox* m_sort;
    QToolButton* m_only; ///< what a bin restricts to; a click shows all again
    QLabel* m_note;
    RgbSettings m_rgb;
    ScenePtr m_scene;
    bool m_syncing = false;
};

} // namespace blendscope
