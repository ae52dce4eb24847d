#include "view/BandGrid.h"

#include "figure/Palette.h"
#include "view/SceneSamples.h"
#include "view/ViewGroup.h"

#include <QGridLayout>
#include <cmath>

namespace blendscope {

BandGrid::BandGrid(QWidget* parent) : QWidget(parent), m_layout(new QGridLayout(this)), m_group(new ViewGroup(this)) {
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(2);
    QPalette ground = palette();
    ground.setColor(QPalette::Window, look::canvas());
    setPalette(ground);
    setAutoFillBackground(true);
}

BandGrid::~BandGrid() = default;

void BandGrid::setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples) {
    if (scene && !samples) samples = std::make_shared<SceneSamples>(scene);
    m_result = nullptr;
    const size_t bands = scene ? scene->bands.size() : 0;
    m_colour = bands > 1;
    const size_t wanted = bands + (m_colour ? 1 : 0);
    while (m_views.size() > wanted) {
        m_group->remove(m_views.back());
        delete m_views.back();
        m_views.pop_back();
    }
    while (m_views.size() < wanted) {
        auto* view = new SceneView(this);
        connect(view, &SceneView::selectionChanged, this,
                [this](ViewSelection selection) { Q_EMIT selectionChanged(selection); });
        connect(view, &SceneView::readoutChanged, this, &BandGrid::readoutChanged);
        m_views.push_back(view);
    }
    for (size_t i = 0; i < m_views.size(); ++i) {
        m_group->remove(m_views[i]); // no echoes while the scene changes
        m_views[i]->setScene(scene, samples);
        OverlayStyle style = m_style;
        style.compass = style.compass && i == 0;
        style.scaleBar = style.scaleBar && i == 0;
        m_views[i]->setOverlays(style);
        const bool colour = m_colour && i == 0;
        const size_t band = i - (m_colour ? 1 : 0);
        if (!colour) {
            ViewDisplay display = m_views[i]->display();
            display.curve = Curve::Asinh; // a dark sky beside the colour picture
            m_views[i]->setDisplay(display);
            m_views[i]->showBand(static_cast<int>(band));
            m_views[i]->autoCuts(CutsMode::Sky);
        }
        m_views[i]->setCaption(colour ? tr("colour") : scene->bands[band].name);
    }
    arrange();
    for (SceneView* view : m_views) {
        m_group->add(view);
    }
}

void BandGrid::arrange() {
    const int n = static_cast<int>(m_views.size());
    const int columns = n <= 3 ? std::max(1, n) : static_cast<int>(std::ceil(std::sqrt(n)));
    for (int i = 0; i < n; ++i) {
        m_layout->addWidget(m_views[static_cast<size_t>(i)], i / columns, i % columns);
    }
    for (int i = 0; i < 8; ++i) {
        m_layout->setColumnStretch(i, i < columns ? 1 : 0);
        m_layout->setRowStretch(i, i < (n + columns - 1) / std::max(1, columns) ? 1 : 0);
    }
}

void BandGrid::setResult(ResultPtr result) {
    m_result = std::move(result);
    for (SceneView* view : m_views) {
        view->setResult(m_result);
    }
}

void BandGrid::setOverlays(const OverlayStyle& style) {
    m_style = style;
    for (size_t i = 0; i < m_views.size(); ++i) {
        OverlayStyle own = style;
        own.compass = own.compass && i == 0;
        own.scaleBar = own.scaleBar && i == 0;
        m_views[i]->setOverlays(own);
    }
}

void BandGrid::setSelection(ViewSelection selection) {
    if (!m_views.empty()) m_views.front()->setSelection(selection);
}

} // namespace blendscope
