#pragma once

#include "document/Document.h"
#include "view/ViewTypes.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace blendscope {

/// The open scenes, and of the current one: size, files and HDUs, bands with their share of the colours, what was
/// assumed, what looks wrong.
class ScenePanel final : public QWidget {
    Q_OBJECT

public:
    explicit ScenePanel(Document* document, QWidget* parent = nullptr);
    /// The picture's state: which band or mix of colours is shown.
    void setDisplay(const ViewDisplay& display);
    void refreshTheme() { refresh(); }

Q_SIGNALS:
    void bandChosen(int band);                               ///< a click on its name
    void mixEdited(const blendscope::RgbSettings& settings); ///< a band went into or out of a channel
    void headerRequested(const QString& path, int hdu);

private:
    void refreshScenes();
    void refresh();
    void refreshBands();
    void toggleChannel(int band, int channel);

    Document* m_document;
    ViewDisplay m_display;
    QComboBox* m_scenes;
    QToolButton* m_close;
    QLabel* m_summary;
    QWidget* m_bands;
    QWidget* m_notes;
    QVBoxLayout* m_notesLayout;
    std::vector<std::array<QToolButton*, 3>> m_channels;
    std::vector<QToolButton*> m_names;
};

} // namespace blendscope
