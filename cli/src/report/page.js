for (const box of document.querySelectorAll('.steps')) {
  const data = JSON.parse(box.querySelector('script').textContent);
  const svg = box.parentElement.querySelector('svg');
  const circles = [...svg.querySelectorAll('circle')];
  const given = [...svg.querySelectorAll('polyline')];
  const lines = data.lines.map((line, i) => {
    if (line.comes === 0) return given[i];
    const made = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
    for (const [key, value] of [['points', line.points], ['fill', 'none'], ['stroke', '#D55E00'], ['stroke-width', '1.6']])
      made.setAttribute(key, value);
    svg.insertBefore(made, circles[0]);
    return made;
  });
  const slider = box.querySelector('input'), output = box.querySelector('output');
  const show = () => {
    const step = Number(slider.value);
    output.textContent = data.captions[step];
    data.circles.forEach((goes, i) => { circles[i].style.opacity = goes !== null && goes <= step ? 0.12 : 1; });
    data.lines.forEach((line, i) => {
      const there = line.comes <= step && (line.goes === null || step < line.goes);
      lines[i].style.display = there ? '' : 'none';
    });
  };
  const move = by => { slider.value = Number(slider.value) + by; show(); };
  slider.addEventListener('input', show);
  box.querySelector('.back').addEventListener('click', () => move(-1));
  box.querySelector('.next').addEventListener('click', () => move(1));
  show();
}
