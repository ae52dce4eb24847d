#include "panels/ScenePanel.h"

#include "models/Format.h"
#include "theme/Icons.h"
#include "theme/Theme.h"
#include "view/SceneSamples.h"

#include <QComboBox>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

QString bandTip(const Band& band) {
    QStringList lines;
    if (band.wavelength > 0) lines << ScenePanel::tr("%1 nm").arg(band.wavelength, 0, 'f', 0);
    if (std::isfinite(band.zeroPoint) && band.zeroPoint != 0) {
        lines << ScenePanel::tr("zero point %1 mag").arg(band.zeroPoint, 0, 'f', 2);
    } else {
        lines << ScenePanel::tr("zero point unknown");
    }
    if (band.psf.known()) {
        const char* from = band.psf.origin == Psf::Origin::Given      ? "from the file"
                           : band.psf.origin == Psf::Origin::FromFwhm ? "from its width"
                           : band.psf.origin == Psf::Origin::Stars    ? "from stars"
                                                                      : "assumed";
        lines << ScenePanel::tr("PSF %1 px, %2").arg(band.psf.fwhmPixels, 0, 'f', 2).arg(ScenePanel::tr(from));
    } else {
        lines << ScenePanel::tr("PSF unknown");
    }
    if (band.mask)
        lines << ScenePanel::tr("mask bits: %1")
                     .arg(band.maskNames.isEmpty() ? ScenePanel::tr("unnamed")
                                                   : QStringList(band.maskNames.keys()).join(QStringLiteral(", ")));
    return lines.join(QStringLiteral("\n"));
}

QLabel* wrapped(const QString& text) {
    auto* label = new QLabel(text);
    label->setWordWrap(true);
    label->setMinimumWidth(1); // else its text wants the panel wide
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setFont(Theme::smallFont());
    // The panel decides the width: a long word must not push it wider than its dock.
    QSizePolicy policy(QSizePolicy::Ignored, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    label->setSizePolicy(policy);
    return label;
}

} // namespace

ScenePanel::ScenePanel(Document* document, QWidget* parent)
    : QWidget(parent), m_document(document), m_scenes(new QComboBox), m_close(new QToolButton), m_summary(new QLabel),
      m_bands(new QWidget), m_notes(new QWidget), m_notesLayout(new QVBoxLayout(m_notes)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->setSpacing(6);
    auto* top = new QHBoxLayout;
    top->setSpacing(2);
    m_scenes->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_scenes->setMinimumContentsLength(8);
    m_scenes->setAccessibleName(tr("Open scenes"));
    m_scenes->setToolTip(tr("Open scenes"));
    top->addWidget(m_scenes, 1);
    m_close->setIcon(themeIcon(QStringLiteral("close")));
    m_close->setAutoRaise(true);
    m_close->setToolTip(tr("Close this scene"));
    m_close->setAccessibleName(tr("Close this scene"));
    top->addWidget(m_close);
    layout->addLayout(top);
    m_summary->setWordWrap(true);
    m_summary->setMinimumWidth(1);
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(m_summary);
    layout->addWidget(m_bands);
    m_notesLayout->setContentsMargins(0, 0, 0, 0);
    m_notesLayout->setSpacing(4);
    layout->addWidget(m_notes);

    connect(m_scenes, &QComboBox::activated, m_document, &Document::setCurrentIndex);
    connect(m_close, &QToolButton::clicked, this, [this] { m_document->closeScene(m_document->currentIndex()); });
    connect(m_document, &Document::scenesChanged, this, &ScenePanel::refreshScenes);
    connect(m_document, &Document::currentSceneChanged, this, [this] {
        refreshScenes();
        refresh();
    });
    refreshScenes();
    refresh();
}

void ScenePanel::refreshScenes() {
    const QSignalBlocker block(m_scenes);
    m_scenes->clear();
    for (const SceneEntry& e : m_document->scenes()) {
        m_scenes->addItem(e.scene->id);
        m_scenes->setItemData(m_scenes->count() - 1, e.paths.join(QLatin1Char('\n')), Qt::ToolTipRole);
    }
    m_scenes->setCurrentIndex(m_document->currentIndex());
    m_scenes->setEnabled(m_scenes->count() > 0);
    m_close->setEnabled(m_scenes->count() > 0);
}

void ScenePanel::refresh() {
    const ScenePtr scene = m_document->scene();
    delete m_bands->layout();
    qDeleteAll(m_bands->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    qDeleteAll(m_notes->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    m_channels.clear();
    m_names.clear();
    m_bands->setVisible(scene != nullptr);
    m_notes->setVisible(scene != nullptr);
    if (!scene) {
        m_summary->setText(tr("No scene is open."));
        return;
    }
    QStringList facts;
    facts << tr("%1 \u00d7 %2 px").arg(scene->size.width).arg(scene->size.height);
    if (scene->pixelScale > 0) {
        const double w = scene->size.width * scene->pixelScale, h = scene->size.height * scene->pixelScale;
        facts << (std::max(w, h) < 120 ? tr("%1\u2033 \u00d7 %2\u2033").arg(w, 0, 'f', 1).arg(h, 0, 'f', 1)
                                       : tr("%1\u2032 \u00d7 %2\u2032").arg(w / 60, 0, 'f', 1).arg(h / 60, 0, 'f', 1));
        facts << tr("%1\u2033/px").arg(scene->pixelScale, 0, 'g', 3);
    }
    if (!scene->wcs.isValid()) facts << tr("no sky coordinates");
    if (scene->truth) {
        const std::size_t n = scene->truth->objects.size();
        facts << (n == 1 ? tr("truth: 1 object") : tr("truth: %1 objects").arg(n));
    }
    m_summary->setText(facts.join(QStringLiteral("  \u00b7  ")));

    auto* grid = new QGridLayout(m_bands);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(4);
    grid->setVerticalSpacing(1);
    grid->setColumnStretch(1, 1);
    const bool colours = scene->bands.size() > 1;
    static const char* channelNames[] = {"R", "G", "B"};
    for (std::size_t b = 0; b < scene->bands.size(); ++b) {
        const Band& band = scene->bands[b];
        auto* name = new QToolButton;
        name->setText(band.name);
        name->setCheckable(true);
        name->setAutoRaise(true);
        name->setToolTip(tr("Show this band alone\n%1").arg(bandTip(band)));
        name->setSizePolicy(QSizePolicy::MinimumExpanding, QSizePolicy::Fixed);
        connect(name, &QToolButton::clicked, this, [this, b] { Q_EMIT bandChosen(int(b)); });
        grid->addWidget(name, int(b), 0);
        m_names.push_back(name);
        QStringList about;
        if (band.wavelength > 0) about << tr("%1 nm").arg(band.wavelength, 0, 'f', 0);
        if (band.psf.known()) {
            about << (scene->pixelScale > 0 ? tr("%1\u2033").arg(band.psf.fwhmPixels * scene->pixelScale, 0, 'f', 2)
                                            : tr("%1 px").arg(band.psf.fwhmPixels, 0, 'f', 1));
        }
        auto* what = new QLabel(about.join(QStringLiteral(", ")));
        what->setFont(Theme::smallFont());
        what->setToolTip(bandTip(band));
        what->setForegroundRole(QPalette::PlaceholderText);
        grid->addWidget(what, int(b), 1);
        m_channels.push_back({});
        if (!colours) continue;
        for (int c = 0; c < 3; ++c) {
            auto* chip = new QToolButton;
            chip->setText(QLatin1String(channelNames[c]));
            chip->setCheckable(true);
            chip->setFixedWidth(22);
            chip->setToolTip(tr("Give %1 to the %2 of the colour picture")
                                 .arg(band.name, c == 0   ? tr("red")
                                                 : c == 1 ? tr("green")
                                                          : tr("blue")));
            chip->setAccessibleName(QStringLiteral("%1 %2").arg(band.name, QLatin1String(channelNames[c])));
            connect(chip, &QToolButton::clicked, this, [this, b, c] { toggleChannel(int(b), c); });
            grid->addWidget(chip, int(b), 2 + c);
            m_channels.back()[static_cast<std::size_t>(c)] = chip;
        }
    }
    refreshBands();

    const auto list = [this](const QString& title, const QStringList& sentences, const QString& icon) {
        if (sentences.isEmpty()) return;
        auto* row = new QWidget;
        auto* line = new QHBoxLayout(row);
        line->setContentsMargins(0, 2, 0, 0);
        line->setSpacing(6);
        auto* sign = new QLabel;
        sign->setPixmap(themeIcon(icon).pixmap(14, 14));
        sign->setAlignment(Qt::AlignTop);
        line->addWidget(sign);
        const QString head = title.toHtmlEscaped();
        QStringList escaped;
        for (const QString& s : sentences) {
            escaped << s.toHtmlEscaped();
        }
        QLabel* words = wrapped(QStringLiteral("<b>%1</b><br>%2").arg(head, escaped.join(QStringLiteral("<br>"))));
        words->setAlignment(Qt::AlignTop | Qt::AlignLeft);
        line->addWidget(words, 1);
        m_notesLayout->addWidget(row);
    };
    list(tr("Looks wrong"), scene->warnings, QStringLiteral("warning"));
    list(tr("Assumed"), scene->assumptions, QStringLiteral("notice"));

    if (!scene->files.empty()) {
        auto* tree = new QTreeWidget;
        tree->setHeaderHidden(true);
        tree->setRootIsDecorated(true);
        tree->setFont(Theme::smallFont());
        tree->setFrameShape(QFrame::StyledPanel);
        tree->setAccessibleName(tr("Files and HDUs"));
        tree->setToolTip(tr("Double click: header"));
        tree->setFixedHeight(110);
        tree->setMinimumWidth(60);
        for (const SceneFile& file : scene->files) {
            auto* top = new QTreeWidgetItem(tree, {QFileInfo(file.path).fileName()});
            top->setToolTip(0, file.path);
            top->setData(0, Qt::UserRole, file.path);
            top->setData(0, Qt::UserRole + 1, 1);
            for (const QString& hdu : file.hdus) {
                auto* item = new QTreeWidgetItem(top, {hdu});
                item->setToolTip(0, hdu);
                item->setData(0, Qt::UserRole, file.path);
                item->setData(0, Qt::UserRole + 1, std::max(1, hdu.section(QLatin1Char(' '), 0, 0).toInt()));
            }
        }
        if (scene->files.size() == 1) tree->expandAll();
        connect(tree, &QTreeWidget::itemActivated, this, [this](const QTreeWidgetItem* item) {
            Q_EMIT headerRequested(item->data(0, Qt::UserRole).toString(), item->data(0, Qt::UserRole + 1).toInt());
        });
        m_notesLayout->addWidget(tree);
    }
}

void ScenePanel::setDisplay(const ViewDisplay& display) {
    m_display = display;
    refreshBands();
}

void ScenePanel::refreshBands() {
    for (std::size_t b = 0; b < m_names.size(); ++b) {
        m_names[b]->setChecked(!m_display.rgb && m_display.band == int(b));
        for (std::size_t c = 0; c < 3; ++c) {
            QToolButton* chip = m_channels[b][c];
            if (!chip) continue;
            const auto& w = m_display.rgbSettings.weights[c];
            const float most = w.empty() ? 0.0f : *std::max_element(w.begin(), w.end());
            const bool on = b < w.size() && most > 0 && w[b] > 0.02f * most;
            chip->setChecked(on);
            chip->setEnabled(!w.empty());
            static const char* colors[] = {"#c8453a", "#2f8f50", "#3a74d0"};
            chip->setStyleSheet(on ? QStringLiteral("QToolButton { background: %1; color: white; border: none;"
                                                    " border-radius: 3px; padding: 2px; font-weight: bold; }")
                                         .arg(QLatin1String(colors[c]))
                                   : QStringLiteral("QToolButton { border: 1px solid %1; border-radius: 3px;"
                                                    " padding: 1px; color: %2; }")
                                         .arg(Theme::colors().line.name(), Theme::colors().muted.name()));
        }
    }
}

void ScenePanel::toggleChannel(int band, int channel) {
    const SceneEntry* e = m_document->current();
    if (!e) return;
    RgbSettings s = m_display.rgbSettings;
    const auto k = static_cast<std::size_t>(band), c = static_cast<std::size_t>(channel);
    if (k >= s.weights[c].size()) return;
    const RgbSettings found = e->samples->rgb().value_or(s);
    // The band's own unit: what it weighs where it is used by default.
    float unit = 0.0f;
    for (std::size_t i = 0; i < 3; ++i) {
        if (k < found.weights[i].size()) unit = std::max(unit, found.weights[i][k]);
    }
    const auto sum = [](const std::vector<float>& w) { return std::accumulate(w.begin(), w.end(), 0.0f); };
    const float before = sum(found.weights[c]);
    const float most = *std::max_element(s.weights[c].begin(), s.weights[c].end());
    const bool on = most > 0 && s.weights[c][k] > 0.02f * most;
    s.weights[c][k] = on ? 0.0f : unit > 0 ? unit : before / float(s.weights[c].size());
    const float after = sum(s.weights[c]);
    if (after > 0 && before > 0) {
        for (float& w : s.weights[c]) {
            w *= before / after; // a channel keeps its brightness
        }
    }
    Q_EMIT mixEdited(s);
    refreshBands();
}

} // namespace blendscope
