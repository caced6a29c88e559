export default function Home() {
  return <h1>Computers and accessories</h1>;
}
